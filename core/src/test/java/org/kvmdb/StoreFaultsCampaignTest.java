package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;

@Timeout(600)
class StoreFaultsCampaignTest {

    @TempDir
    Path directory;

    @Test
    void shouldFindNothingWrongWhereverAFaultStrikes() {
        final CampaignReport report = new StoreFaultsCampaign()
                .run(new CampaignPlan(CampaignPlan.Scale.VERIFY, 1, 1, directory, Map.of(), (done, expected) -> {}));
        System.out.printf(
                "store-faults: %d cases in %d ms, %s%n",
                report.casesInAll(), report.nanos() / 1_000_000, report.notes());
        assertEquals(List.of(), report.findings());
        assertTrue(report.casesInAll() >= 200, () -> "only " + report.casesInAll());
    }
}
