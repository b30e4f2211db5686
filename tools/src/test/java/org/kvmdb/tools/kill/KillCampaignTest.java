package org.kvmdb.tools.kill;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignPlan.Scale;
import org.kvmdb.journal.simulation.CampaignReport;

/** SIGKILL, some hundred times. Another seed: {@code -Dkvmdb.kill.seed=…}. */
@Timeout(1200)
class KillCampaignTest {

    private static final long SEED = Long.getLong("kvmdb.kill.seed", 20260117);

    @TempDir
    Path directory;

    @Test
    void shouldKeepWhatWasAcknowledgedWheneverItIsKilled() {
        CampaignReport report = new KillCampaign()
                .run(new CampaignPlan(Scale.VERIFY, SEED, 2, directory, Map.of(), (done, expected) -> {}));
        assertTrue(report.isClean(), () -> report.findings().toString());
        assertTrue(report.casesInAll() >= 200, () -> report.cases().toString());
        assertTrue(report.cases().get("killed in recovery") > 10, () -> report.cases().toString());
        assertTrue(report.cases().get("killed in mid-work") > 10, () -> report.cases().toString());
        assertEquals(SEED, report.seed());
    }
}
