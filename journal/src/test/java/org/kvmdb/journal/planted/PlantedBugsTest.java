package org.kvmdb.journal.planted;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.PlantedBug;

/** Every planted bug is noticed, and without one nothing is. */
class PlantedBugsTest {

    private static final int BUGS_MIN = 50;

    @TempDir
    private Path directory;

    private CampaignReport run(CampaignPlan.Scale scale, Map<String, String> options) {
        return new PlantedBugsCampaign()
                .run(new CampaignPlan(scale, 1, 1, directory, options, (done, expected) -> {}));
    }

    @Test
    void shouldNoticeEachPlantedBug() {
        final CampaignReport report = run(CampaignPlan.Scale.VERIFY, Map.of());
        report.planted().forEach(bug -> System.out.printf(
                "%s: after %d cases, %s%n", bug.name(), bug.casesUntilCaught(), bug.isCaught() ? bug.caughtBy() : "NOT NOTICED"));
        assertEquals(List.of(), report.planted().stream().filter(bug -> !bug.isCaught()).map(PlantedBug::name).toList());
        assertEquals(List.of(), report.findings());
        assertTrue(report.planted().size() >= BUGS_MIN, report.planted().size() + " bugs");
    }

    @Test
    void shouldDoTheSameAgainWithTheSameSeed() {
        final Map<String, String> one = Map.of("bug", Bug.LOG_CUT_AT_ROTTEN_MIDDLE.name());
        final CampaignReport report = run(CampaignPlan.Scale.SMOKE, one);
        assertEquals(1, report.planted().size());
        assertEquals(report.traceHash(), run(CampaignPlan.Scale.SMOKE, one).traceHash());
    }

    @ParameterizedTest
    @EnumSource
    void shouldFitTheCode(Bug bug) {
        new Checks(bug.patches(), PatchingClassLoader.Instrument.NONE);
    }

    @Test
    void shouldRefuseABugThatDoesNotFit() {
        final Patch misfit =
                Patch.of("LogWriter", "flush", new Patch.Skip(new Patch.Call("Device", "flush", 1, 2)));
        assertThrows(PatchMisfitException.class, () -> new Checks(List.of(misfit), PatchingClassLoader.Instrument.NONE));
        final Patch unknown = Patch.of("NoSuchClass", "flush", new Patch.Return(0));
        assertThrows(PatchMisfitException.class, () -> new Checks(List.of(unknown), PatchingClassLoader.Instrument.NONE));
    }
}
