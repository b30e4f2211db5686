package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.FaultyDevice;
import org.kvmdb.journal.simulation.KeptDevice;

/**
 * The 1st, 2nd, 3rd ... operation of the device fails, until the run passes clean. After a failed write or flush the
 * journal acknowledges nothing more; opened again, on a disk that works, it stands at a prefix of the commits.
 */
class FaultTest {

    private static final JournalOptions OPTIONS = Workload.tinyOptions();
    private static final int OPERATIONS_MAX = 2000;

    private static void body(Workload work) {
        work.create();
        work.createVolume("a", 64 << 12, 12);
        work.put("a", true, 0, 1, 2, 3);
        work.put("a", false, 4);
        work.sync();
        work.steal("a", 7, 8, 9);
        work.checkpoint();
        work.put("a", true, 8, 9);
        work.abandon("a", 20, 21);
        work.put("a", true, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
        work.put("a", true, java.util.stream.LongStream.range(0, 64).toArray());
        work.put("a", true, java.util.stream.LongStream.range(0, 64).toArray());
        work.put("a", true, java.util.stream.LongStream.range(0, 64).toArray());
        work.resizeVolume("a", 40 << 12);
        work.createVolume("b", 8 << 13, 13);
        work.deleteVolume("a");
        work.checkpoint();
        work.journal().punchFreeSegments(0, 3);
        work.put("b", true, 1);
        work.closeJournal();
        work.reopen();
        work.put("b", true, 2);
        work.kill();
        work.reopen();
        work.closeJournal();
    }

    @ParameterizedTest
    @CsvSource({
        "WRITE, EIO, false", "WRITE, EIO, true", "WRITE, ENOSPC, false", "WRITE, SHORT, false", "FLUSH, EIO, false",
        "FLUSH, EIO, true", "FLUSH, ENOSPC, false", "READ, EIO, false", "READ, EIO, true", "READ, SHORT, false",
        "DISCARD, EIO, false"
    })
    void shouldStandAtAPrefixWhenAnyOperationFails(
            FaultyDevice.Operation operation, FaultyDevice.Fault fault, boolean persistent) {
        int failed = 0;
        for (int n = 0; n < OPERATIONS_MAX; n++) {
            final KeptDevice disk = new KeptDevice(new MemoryDevice("faulty"));
            try {
                if (!isHit(operation, new FaultyDevice(disk, operation, fault, n, persistent))) {
                    System.out.printf("%s %s persistent=%s: %d operations failed%n", operation, fault, persistent, failed);
                    assertTrue(failed > 0, "no operation failed");
                    return;
                }
                failed++;
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("%s %s at %d: %s".formatted(operation, fault, n, e), e);
            } finally {
                disk.dispose();
            }
        }
        throw new AssertionError("no run passed clean");
    }

    private static boolean isHit(FaultyDevice.Operation operation, FaultyDevice device) {
        try (Workload work = new Workload(device, OPTIONS, 5)) {
            try {
                body(work);
            } catch (StorageException e) {
                assertTrue(device.wasHit(), () -> "threw without a fault: " + e);
                afterFailure(work, device, operation, e);
                return true;
            }
            return device.wasHit();
        }
    }

    private static void afterFailure(
            Workload work, FaultyDevice device, FaultyDevice.Operation operation, StorageException e) {
        final boolean isOpen = !device.isClosed();
        if (isOpen && e.code() == ErrorCode.FAILED) {
            assertEquals(ErrorCode.FAILED, codeOf(work.journal()::flush));
            assertEquals(ErrorCode.FAILED, codeOf(work.journal()::beginAppend));
            assertEquals(ErrorCode.FAILED, codeOf(work.journal()::checkpoint));
            work.journal().close();
            assertTrue(device.isClosed(), "close left the device open");
        } else if (isOpen) {
            // Whatever the error was: nobody knows what is on the medium.
            final boolean endsJournal =
                    operation == FaultyDevice.Operation.WRITE || operation == FaultyDevice.Operation.FLUSH;
            assertFalse(endsJournal, () -> "%s failed, and the journal goes on: %s".formatted(operation, e));
            work.kill();
        }
        device.heal();
        if (work.isCreated()) {
            work.reopen();
            SpaceCheck.check(work.journal());
            work.journal().createVolume("after", 4096, 12);
            work.kill();
        }
    }

    private static ErrorCode codeOf(org.junit.jupiter.api.function.Executable action) {
        return assertThrows(StorageException.class, action).code();
    }

    @Test
    void shouldGiveEverythingBackWhenOpeningFails() throws java.io.IOException {
        final KeptDevice disk = new KeptDevice(new MemoryDevice("leak"));
        try (Workload work = new Workload(disk, OPTIONS, 5)) {
            work.create();
            work.createVolume("a", 64 << 12, 12);
            work.put("a", true, 0, 1, 2, 3);
            work.kill();
            final long mappingsBefore = mappings();
            int failed = 0;
            for (int n = 0; n < OPERATIONS_MAX; n++) {
                disk.reopen();
                final FaultyDevice device =
                        new FaultyDevice(disk, FaultyDevice.Operation.READ, FaultyDevice.Fault.EIO, n, false);
                try {
                    Journal.open(device, OPTIONS).kill();
                    assertTrue(failed > 3, failed + " reads failed");
                    break;
                } catch (StorageException e) {
                    assertEquals(ErrorCode.IO, e.code());
                    assertTrue(device.isClosed(), "the device was not closed");
                    failed++;
                }
            }
            assertTrue(mappings() <= mappingsBefore + 2, mappingsBefore + " -> " + mappings());
        } finally {
            disk.dispose();
        }
    }

    /** Large reservations of address space, as the journal makes them. */
    private static long mappings() throws java.io.IOException {
        try (var lines = java.nio.file.Files.lines(java.nio.file.Path.of("/proc/self/maps"))) {
            return lines.filter(line -> {
                final String[] range = line.substring(0, line.indexOf(' ')).split("-");
                return Long.parseUnsignedLong(range[1], 16) - Long.parseUnsignedLong(range[0], 16) > 8L << 30;
            }).count();
        }
    }
}
