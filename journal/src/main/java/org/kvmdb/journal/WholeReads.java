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
