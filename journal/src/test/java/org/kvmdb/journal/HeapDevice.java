package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.TreeMap;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * A device of bytes that many share and nobody changes, and of the units that were written over them: an image that is
 * damaged and opened costs what was changed of it. It has no descriptor and does not grow by itself.
 */
final class HeapDevice implements Device {

    private static final int UNIT = BatchDescriptor.UNIT_BYTES;
    /** What is written may not come from a length that a file only claims. */
    private static final long SIZE_MAX = 1L << 30;

    private final byte[] base;
    private final TreeMap<Long, byte[]> written = new TreeMap<>();
    private long size;
    private boolean closed;

    HeapDevice(byte[] base) {
        this.base = base;
        size = base.length;
    }

    /** Cuts off, or adds zeros. */
    void resize(long sizeBytes) {
        size = sizeBytes;
    }

    /** What was opened is closed, and may be opened again as it was left. */
    boolean isClosed() {
        return closed;
    }

    void reopen() {
        closed = false;
    }

    void put(long position, byte[] bytes) {
        write(position, MemorySegment.ofArray(bytes));
    }

    byte[] get(long position, int length) {
        final byte[] result = new byte[length];
        copyOut(position, MemorySegment.ofArray(result), length);
        return result;
    }

    @Override
    public int fd() {
        return -1;
    }

    @Override
    public long read(long position, MemorySegment buffer) {
        checkOpen();
        if (position < 0) {
            throw new StorageException(ErrorCode.IO, "read at %d failed: invalid argument".formatted(position));
        }
        final long length = Math.max(0, Math.min(buffer.byteSize(), size - position));
        copyOut(position, buffer, length);
        return length;
    }

    private void copyOut(long position, MemorySegment buffer, long length) {
        final int there = (int) Math.clamp(base.length - position, 0, length);
        if (there > 0) {
            MemorySegment.copy(base, (int) position, buffer, ValueLayout.JAVA_BYTE, 0, there);
        }
        buffer.asSlice(there, length - there).fill((byte) 0);
        written.subMap(position / UNIT, true, (position + length) / UNIT, true).forEach((index, unit) -> {
            final long from = Math.max(position, index * UNIT);
            final long to = Math.min(position + length, (index + 1) * UNIT);
            if (from < to) {
                MemorySegment.copy(
                        unit, (int) (from % UNIT), buffer, ValueLayout.JAVA_BYTE, from - position, (int) (to - from));
            }
        });
    }

    @Override
    public long readDurable(long position, MemorySegment buffer) {
        return read(position, buffer);
    }

    @Override
    public void write(long position, MemorySegment buffer) {
        checkOpen();
        final long length = buffer.byteSize();
        if (position < 0 || position + length > SIZE_MAX) {
            throw new StorageException(ErrorCode.STORE_FULL, "no space at %d".formatted(position));
        }
        for (long done = 0; done < length; ) {
            final long at = position + done;
            final int within = (int) (at % UNIT);
            final int n = (int) Math.min(length - done, UNIT - within);
            byte[] unit = written.get(at / UNIT);
            if (unit == null) {
                unit = get(at / UNIT * UNIT, UNIT);
                written.put(at / UNIT, unit);
            }
            MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, done, unit, within, n);
            done += n;
        }
        size = Math.max(size, position + length);
    }

    @Override
    public void writeBack(long position, long lengthBytes) {}

    @Override
    public void flush() {
        checkOpen();
    }

    @Override
    public void allocate(long position, long lengthBytes) {
        checkOpen();
        if (position + lengthBytes > SIZE_MAX) {
            throw new StorageException(ErrorCode.STORE_FULL, "no space at %d".formatted(position));
        }
        size = Math.max(size, position + lengthBytes);
    }

    @Override
    public void discard(long position, long lengthBytes) {
        for (long at = position; at < position + lengthBytes && at < size; at += UNIT) {
            write(at, MemorySegment.ofArray(new byte[UNIT]));
        }
    }

    @Override
    public long sizeBytes() {
        return size;
    }

    @Override
    public long allocatedBytes() {
        return size;
    }

    @Override
    public boolean isReadOnly() {
        return false;
    }

    @Override
    public void close() {
        closed = true;
    }

    private void checkOpen() {
        if (closed) {
            throw new StorageException(ErrorCode.CLOSED, "device is closed");
        }
    }

    @Override
    public String toString() {
        return "heap";
    }
}
