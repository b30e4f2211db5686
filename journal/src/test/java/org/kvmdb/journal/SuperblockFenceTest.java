package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

class SuperblockFenceTest {

    /** As on a block device that two machines share: this one's cache holds what this one wrote last. */
    @Test
    void shouldSeeBeneathTheCacheWhatAnotherProcessHasWritten() {
        final MemoryDevice medium = new MemoryDevice("shared");
        final CachedDevice device = new CachedDevice(medium);
        final Journal journal = Journal.create(device, Workload.tinyOptions());
        try (Journal other = Journal.open(new CachedDevice(medium), Workload.tinyOptions())) {
            other.createVolume("theirs", 64 << 12, 12);
            other.checkpoint();
        }
        final byte[] theirs = superblocks(medium);
        journal.createVolume("ours", 64 << 12, 12);
        final StorageException e = assertThrows(StorageException.class, journal::checkpoint);
        assertEquals(ErrorCode.FAILED, e.code());
        assertTrue(e.getMessage().contains("another process has written shared: superblock generation "), e.getMessage());
        journal.kill();
        assertArrayEquals(theirs, superblocks(medium));
        device.dispose();
    }

    private static byte[] superblocks(Device medium) {
        return Arrays.copyOf(LogImage.of(medium).bytes(), SuperblockDescriptor.SEGMENTS_OFFSET);
    }
}
