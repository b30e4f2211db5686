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

/** The part of {@link LimitsCampaign} that runs with every build. */
@Timeout(600)
class LimitsCampaignTest {

    @TempDir
    Path directory;

    @Test
    void shouldWorkOrSayWhyNotWhateverTheLimit() {
        final CampaignReport report = new LimitsCampaign()
                .run(new CampaignPlan(
                        CampaignPlan.Scale.valueOf(System.getProperty("kvmdb.limits.scale", "VERIFY")),
                        20261121,
                        1,
                        directory,
                        System.getProperty("kvmdb.limits.kind") == null
                                ? Map.of()
                                : Map.of("kind", System.getProperty("kvmdb.limits.kind")),
                        (done, expected) -> {}));
        System.out.println(report.cases() + " " + report.notes() + " " + report.nanos() / 1_000_000 + " ms");
        assertEquals(List.of(), report.findings());
        assertTrue(report.casesInAll() > 350, () -> "cases: " + report.cases());
    }
}
