package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

class BatchParserTest {

    /**
     * A batch of which a later one says that it is durable is missing on the medium, where a disk lost it, and lies in the system's
     * cache. A recovery that read that would call it there, and it would be gone at the next power cut.
     */
    @Test
    void shouldReadTheLogFromTheMediumAndNotFromTheCache() {
        final MemoryDevice medium = new MemoryDevice("medium");
        final CachedDevice device = new CachedDevice(medium);
        try (Workload work = new Workload(device, Workload.tinyOptions(), 1)) {
            work.create();
            work.createVolume("a", 64 << 12, 12);
            for (int lpn = 1; lpn < 5; lpn++) {
                work.put("a", true, lpn);
            }
            work.kill();
        }
        device.reopen();
        final List<LogImage.Batch> log = LogImage.of(medium).log();
        final LogImage.Batch lost = log.get(log.size() - 3);
        final MemorySegment bytes = MemorySegment.ofBuffer(ByteBuffer.allocateDirect(lost.length()));
        medium.read(lost.position(), bytes);
        device.putIntoCache(lost.position(), bytes);
        medium.write(lost.position(), MemorySegment.ofBuffer(ByteBuffer.allocateDirect(lost.length())));
        final StorageException e =
                assertThrows(StorageException.class, () -> Journal.open(device, Workload.tinyOptions()));
        assertEquals(ErrorCode.CORRUPT_STORE, e.code());
        device.dispose();
    }
}
