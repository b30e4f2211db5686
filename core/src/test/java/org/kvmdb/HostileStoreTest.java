package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.journal.fuzz.FuzzCampaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;

/** The fuzzer over a whole store, read through page faults. */
class HostileStoreTest {

    @Test
    void shouldReadThroughFaultsWhatIsTrueOrRefuse(@TempDir Path directory) {
        final CampaignReport report = new FuzzCampaign().run(new CampaignPlan(
                CampaignPlan.Scale.VERIFY, 3, 1, directory, Map.of("target", "faults"), (done, expected) -> {}));
        assertEquals(List.of(), report.findings());
        assertTrue(report.casesInAll() > 100, report.cases().toString());
    }
}
