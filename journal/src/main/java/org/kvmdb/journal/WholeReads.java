package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * Reads that end early only at the end of the device. A read that returns less although there is more is repeated, and
 * then counts as failed. Otherwise a bad read of the log would look like its end, and acknowledged commits would be cut
 * off.
 */
final class WholeReads {

    /** What such a range may lie within. */
    static final int AROUND_BYTES = 2 * BatchDescriptor.UNIT_BYTES;

    private static final long UNIT = BatchDescriptor.UNIT_BYTES;

    private WholeReads() {}

    static long read(Device device, long position, MemorySegment buffer) {
        final long count = device.read(position, buffer);
        return isWhole(device, position, count, buffer)
                ? count
                : checked(device, position, device.read(position, buffer), buffer);
    }

    /** Past the system's cache. */
    static long readDurable(Device device, long position, MemorySegment buffer) {
        final long count = device.readDurable(position, buffer);
        return isWhole(device, position, count, buffer)
                ? count
                : checked(device, position, device.readDurable(position, buffer), buffer);
    }

    /**
     * Reads a range of any position and length past the system's cache, with what lies around it: a second look at what was wrong,
     * which out of the cache would be wrong again. Null when the device ends within the range.
     *
     * @param room of a whole number of units, aligned to one, and {@link #AROUND_BYTES} larger than the range
     */
    static MemorySegment readBeneathCache(Device device, long position, long length, MemorySegment room) {
        final long begin = position & -UNIT;
        final long end = Fields.alignUp(position + length, UNIT);
        final long count = readDurable(device, begin, room.asSlice(0, end - begin));
        return begin + count < position + length ? null : room.asSlice(position - begin, length);
    }

    private static boolean isWhole(Device device, long position, long count, MemorySegment buffer) {
        return count == buffer.byteSize() || position + count >= device.sizeBytes();
    }

    private static long checked(Device device, long position, long count, MemorySegment buffer) {
        if (!isWhole(device, position, count, buffer)) {
            throw new StorageException(
                    ErrorCode.IO,
                    "read failed: %s returned %d of %d bytes at %d, yet it is %d long; look at the device"
                            .formatted(device, count, buffer.byteSize(), position, device.sizeBytes()));
        }
        return count;
    }
}
