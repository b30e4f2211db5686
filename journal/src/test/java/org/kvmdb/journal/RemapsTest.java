package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.kvmdb.ffi.Errno;
import org.kvmdb.ffi.FaultPlan;
import org.kvmdb.ffi.NativeMemory;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;

class RemapsTest {

    private static final int SEGMENT = 3;

    private long published;

    private void publish(Remaps remaps) {
        remaps.publish((_, address) -> published = address, ReaderGrace.NONE);
    }

    private static long block(int segment, int index) {
        return Ppn.pack(segment, index * 4096, 4096);
    }

    @Test
    void shouldKeepTheOldTableWhenThereIsNoMemoryForTheNewOne() {
        final long reservedBytes = NativeMemory.reservedBytes();
        try (Remaps remaps = new Remaps()) {
            remaps.put(block(SEGMENT, 0), block(7, 0));
            publish(remaps);
            final long before = published;
            remaps.put(block(SEGMENT, 1), block(7, 1));
            try (FaultPlan _ =
                    FaultPlan.arm(FaultPlan.Rule.failing(Errno.ENOMEM, FaultPlan.Operation.MEMORY))) {
                assertThrows(StorageException.class, () -> publish(remaps));
            }
            assertEquals(before, published);
            publish(remaps);
            assertNotEquals(before, published);
        }
        assertEquals(reservedBytes, NativeMemory.reservedBytes());
    }
}
