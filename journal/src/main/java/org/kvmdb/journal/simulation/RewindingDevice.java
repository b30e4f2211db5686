package org.kvmdb.journal.simulation;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.agrona.collections.LongArrayList;
import org.kvmdb.journal.MemoryDevice;

/**
 * A device in memory that goes back to what it held, at the cost of what was written to it since: for the thousands of
 * crash states of one image. Whoever made it uses it from one thread; a store on it may write from several.
 */
public final class RewindingDevice extends KeptDevice {

    private static final int CHUNK_BYTES = 64 << 10;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment buffer = arena.allocate(CHUNK_BYTES, 4096);
    private byte[] base;
    /** Position and length of what was written since, in turns. */
    private final LongArrayList touched = new LongArrayList();

    /** @param base what it goes back to */
    public RewindingDevice(byte[] base) {
        super(new MemoryDevice("crash"));
        this.base = base.clone();
        memory().truncate(base.length);
        for (int at = 0; at < base.length; at += CHUNK_BYTES) {
            final int end = Math.min(base.length, at + CHUNK_BYTES);
            if (!isZero(base, at, end)) {
                put(at, base, at, end - at);
            }
        }
    }

    private MemoryDevice memory() {
        return (MemoryDevice) medium();
    }

    private static boolean isZero(byte[] bytes, int from, int end) {
        int at = from;
        while (at < end && bytes[at] == 0) {
            at++;
        }
        return at == end;
    }

    /** What it goes back to; only to be read. */
    byte[] base() {
        return base;
    }

    /** Goes back, and is open. */
    public void rewind() {
        reopen();
        memory().truncate(base.length);
        for (int i = 0; i < touched.size(); i += 2) {
            final int from = (int) Math.min(base.length, touched.getLong(i));
            final int end = (int) Math.min(base.length, touched.getLong(i) + touched.getLong(i + 1));
            put(from, base, from, end - from);
        }
        touched.clear();
    }

    /** From now on it goes back to what it went back to with these writes over it. */
    void settle(List<RecordingDevice.Event> writes, long sizeBytes) {
        rewind();
        if (base.length != sizeBytes) {
            base = Arrays.copyOf(base, (int) sizeBytes);
            memory().truncate(sizeBytes);
        }
        for (RecordingDevice.Event write : writes) {
            System.arraycopy(write.bytes(), 0, base, (int) write.position(), write.bytes().length);
            put(write.position(), write.bytes(), 0, write.bytes().length);
        }
    }

    /** Goes back, and has this written over it. */
    void lay(List<RecordingDevice.Left> writes, long sizeBytes) {
        rewind();
        memory().truncate(sizeBytes);
        for (RecordingDevice.Left left : writes) {
            left.forEachRun((from, end) -> {
                touched.addLong(left.write().position() + from);
                touched.addLong(end - from);
                put(left.write().position() + from, left.write().bytes(), from, end - from);
            });
        }
    }

    private void put(long position, byte[] bytes, int from, int lengthBytes) {
        for (int at = 0; at < lengthBytes; at += CHUNK_BYTES) {
            final int n = Math.min(CHUNK_BYTES, lengthBytes - at);
            MemorySegment.copy(bytes, from + at, buffer, ValueLayout.JAVA_BYTE, 0, n);
            memory().write(position + at, buffer.asSlice(0, n));
        }
    }

    /** All that it holds. */
    public byte[] image() {
        final byte[] image = new byte[(int) memory().sizeBytes()];
        for (int at = 0; at < image.length; at += CHUNK_BYTES) {
            final int n = Math.min(CHUNK_BYTES, image.length - at);
            memory().read(at, buffer.asSlice(0, n));
            MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, image, at, n);
        }
        return image;
    }

    @Override
    public void write(long position, MemorySegment source) {
        super.write(position, source);
        touch(position, source.byteSize());
    }

    @Override
    public void discard(long position, long lengthBytes) {
        super.discard(position, lengthBytes);
        touch(position, lengthBytes);
    }

    private void touch(long position, long lengthBytes) {
        synchronized (touched) {
            touched.addLong(position);
            touched.addLong(lengthBytes);
        }
    }

    /** Closes what is beneath. */
    public void free() {
        dispose();
        arena.close();
    }
}
