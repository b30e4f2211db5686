package org.kvmdb.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpaceAccountTest {

    private static final long STEP = 256 << 10;

    @TempDir
    Path directory;

    @Test
    void shouldRefuseAndChangeNothingWhenThereIsNoRoom() {
        try (SpaceAccount account = new SpaceAccount(0, STEP, STEP, STEP, -1)) {
            account.addAvailable(1000);
            assertTrue(account.tryReserve(600));
            assertFalse(account.tryReserve(401));
            assertEquals(600, account.reservedBytes());
            assertTrue(account.tryReserve(400));
            account.release(1000);
            assertEquals(0, account.reservedBytes());
            assertEquals(1000, account.availableBytes());
        }
    }

    @Test
    void shouldGrowTheFileByStepsUpToTheLimit() {
        try (NativeFile file = NativeFile.open(directory.resolve("f"), NativeFile.CREATE);
                SpaceAccount account = new SpaceAccount(0, 5 * STEP / 2, STEP, STEP, file.fd())) {
            assertTrue(account.tryReserve(1));
            assertEquals(STEP, account.grantedBytes());
            assertEquals(STEP, file.sizeBytes());
            assertTrue(account.tryReserve(STEP));
            assertEquals(2 * STEP, account.availableBytes());
            // The last step is what the limit leaves.
            assertTrue(account.tryGrow());
            assertEquals(5 * STEP / 2, account.grantedBytes());
            assertFalse(account.tryGrow());
            assertFalse(account.tryReserve(3 * STEP / 2));
            assertEquals(STEP + 1, account.reservedBytes());
        }
    }

    @Test
    void shouldTellAnErrorFromWantOfRoom() {
        try (NativeFile file = NativeFile.open(directory.resolve("f"), NativeFile.CREATE);
                SpaceAccount account = new SpaceAccount(0, 4 * STEP, STEP, STEP, file.fd())) {
            assertNull(refusalOf(account, Errno.ENOSPC));
            assertNull(refusalOf(account, Errno.EDQUOT));
            assertNull(refusalOf(account, Errno.EFBIG));
            assertEquals("input/output error (EIO); see the log of the kernel (dmesg)", refusalOf(account, Errno.EIO));
            assertEquals("read-only file system (EROFS); mount it for writing", refusalOf(account, Errno.EROFS));
            assertTrue(account.tryGrow());
            assertNull(account.refusal());
        }
    }

    private static String refusalOf(SpaceAccount account, int errno) {
        try (FaultPlan _ = FaultPlan.arm(FaultPlan.Rule.failing(errno, FaultPlan.Operation.ALLOCATE))) {
            assertFalse(account.tryReserve(1));
            return account.refusal();
        }
    }

    @Test
    void shouldNeverHandOutMoreThanThereIsWhenManyReserve() throws Exception {
        try (NativeFile file = NativeFile.open(directory.resolve("f"), NativeFile.CREATE);
                SpaceAccount account = new SpaceAccount(0, 16 * STEP, STEP, STEP, file.fd());
                ExecutorService threads = Executors.newFixedThreadPool(4)) {
            final List<Future<Long>> reserved = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                reserved.add(threads.submit(() -> {
                    long bytes = 0;
                    while (account.tryReserve(4160)) {
                        bytes += 4160;
                    }
                    return bytes;
                }));
            }
            long sum = 0;
            for (Future<Long> bytes : reserved) {
                sum += bytes.get();
            }
            assertEquals(sum, account.reservedBytes());
            assertTrue(sum <= 16 * STEP && sum > 16 * STEP - 5 * 4160, () -> "reserved " + account.reservedBytes());
        }
    }
}
