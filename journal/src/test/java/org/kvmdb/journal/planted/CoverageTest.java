package org.kvmdb.journal.planted;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;

class CoverageTest {

    @TempDir
    private Path directory;

    private CampaignReport run(String checks) {
        return new CoverageCampaign().run(new CampaignPlan(
                CampaignPlan.Scale.SMOKE, 1, 1, directory, Map.of("check", checks), (done, expected) -> {}));
    }

    private static int reached(CampaignReport report) {
        final String told = report.notes().get("branches of the recovery code");
        return Integer.parseInt(told.substring(0, told.indexOf(' ')));
    }

    /** What more is tried reaches more. */
    @Test
    void shouldTellWhichBranchesOfTheRecoveryAreReached() {
        final CampaignReport few = run("rot-last-batch");
        final CampaignReport more = run("rot-last-batch|rot-batches|hostile-metadata");
        assertEquals(List.of(), more.findings());
        assertTrue(few.notes().get("Recovery").contains("not reached: line "), few.notes().get("Recovery"));
        assertTrue(reached(few) > 0 && reached(more) > reached(few) + 50, reached(few) + ", then " + reached(more));
    }
}
