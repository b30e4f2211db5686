package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.Fault;
import org.kvmdb.journal.simulation.FaultyDevice;
import org.kvmdb.journal.simulation.KeptDevice;

/** Operations of the device that fail: the campaign, and what is given back when a store cannot be opened. */
class FaultTest {

    private static final JournalOptions OPTIONS = Workload.tinyOptions();
    private static final int OPERATIONS_MAX = 2000;

    @TempDir
    private Path directory;

    private CampaignReport run(Campaign campaign, CampaignPlan.Scale scale) {
        return campaign.run(new CampaignPlan(scale, 1, 2, directory, Map.of(), (done, expected) -> {}));
    }

    private void verify(Campaign campaign, int casesMin) {
        final CampaignReport report = run(campaign, CampaignPlan.Scale.VERIFY);
        System.out.println(report.cases() + " " + report.notes());
        assertTrue(report.isClean(), () -> report.findings().toString());
        assertTrue(report.casesInAll() >= casesMin, () -> report.casesInAll() + " cases");
    }

    @Test
    void shouldLoseNothingAndShowNoWrongByteWhateverFails() {
        verify(new FaultCampaign(), 7000);
    }

    @Test
    void shouldLoseNothingWhenASecondFaultBefallsTheRecovery() {
        verify(new FaultPairCampaign(), 2000);
    }

    @Test
    void shouldDoTheSameWhenTheSeedIsTheSame() {
        for (Campaign campaign : List.of(new FaultCampaign(), new FaultPairCampaign())) {
            final CampaignReport report = run(campaign, CampaignPlan.Scale.SMOKE);
            assertTrue(report.casesInAll() > 40, () -> report.casesInAll() + " cases");
            assertEquals(report.traceHash(), run(campaign, CampaignPlan.Scale.SMOKE).traceHash(), campaign.name());
        }
    }

    /** A read of the log that is wrong once must neither pass for its end nor be written over what is good. */
    @ParameterizedTest
    @EnumSource(names = {"SHORT", "STALE", "FLIP", "MISDIRECTED"})
    void shouldKeepTheTailWhenARecoveryReadsItWrongOnce(Fault fault) {
        try (PreparedStore store = new PreparedStore(FaultScript.RECOVERY, OPTIONS, 1)) {
            boolean hit = true;
            for (int n = 0; hit; n++) {
                store.reset();
                final FaultyDevice device =
                        new FaultyDevice(store.history(), FaultyDevice.Operation.READ, fault, n, false, n);
                try (Workload work = store.workload(device, 2)) {
                    final int acked = work.acked();
                    Journal.open(device, OPTIONS).kill();
                    hit = device.wasHit();
                    work.reopen();
                    assertEquals(acked, work.acked(), "read " + n);
                }
                assertTrue(hit || n > 10, n + " reads");
            }
        }
    }

    @Test
    void shouldFailWhenTheFlushOfASuperblockFindsTheDiskFull() {
        try (PreparedStore store = new PreparedStore(FaultScript.CHECKPOINT, OPTIONS, 1)) {
            for (int n = 0; n < 3; n++) { // that of the log, then one for each copy
                store.reset();
                final FaultyDevice device =
                        new FaultyDevice(store.history(), FaultyDevice.Operation.FLUSH, Fault.ENOSPC, -1, false);
                try (Workload work = store.workload(device, 2)) {
                    work.reopen();
                    work.put("a", false, 1);
                    device.failAt(n);
                    assertEquals(ErrorCode.FAILED, codeOf(work.journal()::checkpoint));
                    assertEquals(ErrorCode.FAILED, codeOf(work.journal()::flush));
                }
            }
        }
    }

    private static ErrorCode codeOf(Executable action) {
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
                        new FaultyDevice(disk, FaultyDevice.Operation.READ, Fault.EIO, n, false);
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
