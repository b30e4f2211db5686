package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
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

    private CampaignReport run(CampaignPlan.Scale scale) {
        return new FaultCampaign()
                .run(new CampaignPlan(scale, 1, 2, directory, Map.of(), (done, expected) -> {}));
    }

    @Test
    void shouldLoseNothingAndShowNoWrongByteWhateverFails() {
        final CampaignReport report = run(CampaignPlan.Scale.VERIFY);
        System.out.println(report.cases() + " " + report.notes());
        assertTrue(report.isClean(), () -> report.findings().toString());
        assertTrue(report.casesInAll() > 8000, () -> report.casesInAll() + " cases");
    }

    @Test
    void shouldDoTheSameWhenTheSeedIsTheSame() {
        final CampaignReport report = run(CampaignPlan.Scale.SMOKE);
        assertTrue(report.casesInAll() > 50, () -> report.casesInAll() + " cases");
        assertEquals(report.traceHash(), run(CampaignPlan.Scale.SMOKE).traceHash());
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
