package org.kvmdb.journal.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;

/** The fuzzer, for a short while; every input that once showed a bug is among those it begins with. */
class FuzzCampaignTest {

    @TempDir
    Path directory;

    private CampaignReport run(CampaignPlan.Scale scale, long seed) {
        final CampaignReport report = new FuzzCampaign()
                .run(new CampaignPlan(scale, seed, 1, directory, Map.of(), (done, expected) -> {}));
        report.findings().forEach(finding -> System.out.println(finding.what() + "\n" + finding.workload()));
        System.out.println(report.cases() + " distinct=" + report.distinct() + " " + report.notes() + " ms="
                + report.nanos() / 1_000_000);
        return report;
    }

    @Test
    void shouldFindNothing() {
        final CampaignReport report = run(CampaignPlan.Scale.VERIFY, 1);
        assertTrue(report.isClean());
        assertTrue(report.distinct() > report.casesInAll() / 2, "most inputs are different ones");
    }

    @Test
    void shouldDoTheSameWithTheSameSeed() {
        final CampaignReport one = run(CampaignPlan.Scale.SMOKE, 7);
        final CampaignReport other = run(CampaignPlan.Scale.SMOKE, 7);
        assertEquals(one.traceHash(), other.traceHash());
        assertEquals(one.cases(), other.cases());
    }

    @Test
    void shouldNameTheTargetsWhenThereIsNoSuch() {
        final FuzzCampaign campaign = new FuzzCampaign();
        campaign.checkOptions(Map.of("target", "nodes"));
        final Map<String, String> wrong = Map.of("target", "nope");
        final String message = assertThrows(IllegalArgumentException.class, () -> campaign.checkOptions(wrong))
                .getMessage();
        assertTrue(message.contains("'nope'") && message.contains("superblock, "), message);
    }

    @Test
    void shouldTellTheMostFrequentOutcomesWhenThereAreMany() {
        final Map<String, Long> counts = new LinkedHashMap<>();
        for (long i = 1; i <= 2000; i++) {
            counts.put("page " + i, i);
        }
        final String told = FuzzCampaign.outcomes(counts);
        assertTrue(told.startsWith("2,000 × page 2000; ") && told.endsWith("; and 1,995 others"), told);
        assertEquals("1 × page 1", FuzzCampaign.outcomes(Map.of("page 1", 1L)));
    }
}
