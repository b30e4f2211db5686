package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.ffi.Errno;
import org.kvmdb.ffi.FaultPlan;

class FileDeviceTest {

    private static final int LARGE_BYTES = 1 << 20;

    @TempDir
    private Path directory;

    @Test
    void shouldReadThroughThePageCacheWhereTheFileSystemRefusesToGoPastIt() {
        try (Device device = FileDevice.create(directory.resolve("device"));
                Arena arena = Arena.ofConfined()) {
            device.publish();
            final MemorySegment written = arena.allocate(4096, 4096).fill((byte) 7);
            device.write(0, written);
            final MemorySegment read = arena.allocate(4096, 4096);
            try (FaultPlan plan = FaultPlan.arm(
                    FaultPlan.Rule.failing(Errno.EINVAL, FaultPlan.Operation.READ).onceAt(0))) {
                assertEquals(4096, device.readDurable(0, read));
                assertEquals(1, plan.hits(0));
            }
            assertEquals(-1, read.mismatch(written));
        }
    }

    @Test
    void shouldWriteThroughThePageCacheWhereTheFileSystemRefusesToGoPastIt() {
        final Path path = directory.resolve("device");
        try (Device device = FileDevice.create(path);
                Arena arena = Arena.ofConfined()) {
            device.publish();
            final MemorySegment written = arena.allocate(LARGE_BYTES, 4096).fill((byte) 7);
            try (FaultPlan plan = FaultPlan.arm(
                    FaultPlan.Rule.failing(Errno.EINVAL, FaultPlan.Operation.WRITE).onceAt(0))) {
                device.write(0, written);
                assertEquals(1, plan.hits(0));
            }
            device.flush();
            final MemorySegment read = arena.allocate(LARGE_BYTES, 4096);
            assertEquals(LARGE_BYTES, device.readDurable(0, read));
            assertEquals(-1, read.mismatch(written));
        }
    }
}
