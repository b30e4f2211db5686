package org.kvmdb.journal.simulation;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.kvmdb.journal.Device;
import org.kvmdb.journal.MemoryDevice;

/**
 * Records what is written, flushed and discarded, in order, with the tester's marks between, and makes of it the medium
 * as a crash could have left it. Fault model: everything written before a completed flush is there; of what was written
 * since, each sector of 512 bytes may be there or not, in any order; a discard that was not flushed may have happened or
 * not. A write that begins or ends within a sector is kept as one of the whole sector. What several threads of a
 * store do is recorded in one order; it is looked at when the store is closed.
 */
public final class RecordingDevice extends KeptDevice {

    public static final int SECTOR_BYTES = 512;

    /** What an event is; DISCARD is kept as a write of zeros. */
    public enum Kind {
        WRITE,
        FLUSH,
        ISSUED,
        ACKED
    }

    /**
     * @param number of a mark: the commit
     * @param sizeBytes length of the device then
     */
    public record Event(Kind kind, long position, byte[] bytes, int number, long sizeBytes) {}

    /** A write of which a crash left something; a null set of sectors means all of them. */
    public record Left(Event write, BitSet sectors) {

        interface Run {
            void at(int from, int end);
        }

        /** Calls for what is there, in bytes of the write, neighbours together. */
        void forEachRun(Run run) {
            final int length = write.bytes.length;
            if (sectors == null) {
                run.at(0, length);
                return;
            }
            for (int first = sectors.nextSetBit(0); first >= 0; ) {
                final int end = sectors.nextClearBit(first);
                if (first * SECTOR_BYTES < length) {
                    run.at(first * SECTOR_BYTES, Math.min(length, end * SECTOR_BYTES));
                }
                first = sectors.nextSetBit(end);
            }
        }
    }

    private final List<Event> events = new ArrayList<>();
    private final byte[] image;
    private int ignoredFlushes;

    /** Records on top of what the device holds, which is taken for durable. */
    public RecordingDevice(Device inner) {
        super(inner);
        image = bytesOf(inner);
    }

    private RecordingDevice(Device inner, byte[] durable, List<Event> pending) {
        super(inner);
        image = durable;
        events.addAll(pending);
    }

    private static byte[] bytesOf(Device device) {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment buffer = arena.allocate(device.sizeBytes(), 4096);
            device.read(0, buffer);
            return buffer.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** A bug on purpose: the next flushes return as if they had flushed. */
    public void ignoreFlushes(int count) {
        ignoredFlushes = count;
    }

    @Override
    public void write(long position, MemorySegment buffer) {
        super.write(position, buffer);
        final long from = position / SECTOR_BYTES * SECTOR_BYTES;
        final long end = (position + buffer.byteSize() + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES;
        if (from == position && end == position + buffer.byteSize()) {
            add(Kind.WRITE, position, buffer.toArray(ValueLayout.JAVA_BYTE), 0);
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment sectors = arena.allocate(end - from);
            final long length = Math.max(position + buffer.byteSize() - from, medium().read(from, sectors));
            add(Kind.WRITE, from, sectors.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), 0);
        }
    }

    @Override
    public void discard(long position, long lengthBytes) {
        super.discard(position, lengthBytes);
        add(Kind.WRITE, position, new byte[(int) lengthBytes], 0);
    }

    /** What others write meanwhile is recorded behind it: they were not promised that it covers that. */
    @Override
    public synchronized void flush() {
        super.flush();
        if (ignoredFlushes > 0) {
            ignoredFlushes--;
            return;
        }
        add(Kind.FLUSH, 0, null, 0);
    }

    /** The tester is about to write that commit. */
    public void issued(int commit) {
        add(Kind.ISSUED, 0, null, commit);
    }

    /** That commit, and all before it, were acknowledged. */
    public void acked(int commit) {
        add(Kind.ACKED, 0, null, commit);
    }

    private synchronized void add(Kind kind, long position, byte[] bytes, int number) {
        events.add(new Event(kind, position, bytes, number, medium().sizeBytes()));
    }

    public List<Event> events() {
        return events;
    }

    /** What the device held when the recording began. */
    public byte[] startImage() {
        return image;
    }

    /** A device that holds that image, for a crash state: durable bytes with some later writes over them. */
    public static MemoryDevice materialize(byte[] durable, long sizeBytes, List<Left> left) {
        final MemoryDevice device = new MemoryDevice("crash");
        try (Arena arena = Arena.ofConfined()) {
            device.truncate(sizeBytes);
            writeNonZero(device, durable, (int) Math.min(durable.length, sizeBytes), arena);
            for (Left part : left) {
                final byte[] bytes = part.write.bytes();
                final MemorySegment buffer = arena.allocate(bytes.length, 4096);
                MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
                part.forEachRun((from, end) ->
                        device.write(part.write.position() + from, buffer.asSlice(from, end - from)));
            }
            return device;
        }
    }

    /** The same, where a process died and the system did not: the later writes are there, and not yet durable. */
    public static RecordingDevice killed(byte[] durable, long sizeBytes, List<Event> pending) {
        final List<Left> left = pending.stream().map(event -> new Left(event, null)).toList();
        return new RecordingDevice(materialize(durable, sizeBytes, left), durable, pending);
    }

    /**
     * The same, where a flush had failed before the process died: the later writes are read, for they lie in the system's
     * cache, but it takes them for written, and no flush makes them durable. Only who writes them again can do that.
     */
    public static RecordingDevice unflushable(byte[] durable, long sizeBytes, List<Event> cached) {
        final List<Left> left = cached.stream().map(event -> new Left(event, null)).toList();
        return new RecordingDevice(materialize(durable, sizeBytes, left), durable, List.of());
    }

    private static void writeNonZero(MemoryDevice device, byte[] bytes, int length, Arena arena) {
        final MemorySegment buffer = arena.allocate(Math.max(1, length), 4096);
        MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, length);
        final int chunk = 32 << 10;
        for (int at = 0; at < length; at += chunk) {
            final int n = Math.min(chunk, length - at);
            if (!isZero(buffer.asSlice(at, n))) {
                device.write(at, buffer.asSlice(at, n));
            }
        }
    }

    private static boolean isZero(MemorySegment bytes) {
        return bytes.get(ValueLayout.JAVA_BYTE, 0) == 0
                && (bytes.byteSize() == 1
                        || bytes.asSlice(1).mismatch(bytes.asSlice(0, bytes.byteSize() - 1)) < 0);
    }
}
