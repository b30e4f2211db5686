package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignPlan.Scale;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.Finding;
import org.kvmdb.journal.simulation.RecordingDevice;

class CrashStatesCampaignTest {

    @TempDir
    private Path directory;

    private CampaignPlan plan(Scale scale, long seed, int threads, Map<String, String> options) {
        return new CampaignPlan(scale, seed, threads, directory, options, (done, expected) -> {});
    }

    private CampaignReport run(Scale scale, long seed, int threads) {
        return new CrashStatesCampaign().run(plan(scale, seed, threads, Map.of()));
    }

    @Test
    void shouldFindAPrefixOfCommitsWhateverACrashLeft() {
        final CampaignReport report = run(Scale.VERIFY, 1, 1);
        System.out.printf("%s, %d different ones in %d ms; %s%n",
                report.cases(), report.distinct(), report.nanos() / 1_000_000, report.notes());
        assertEquals(List.of(), report.findings());
        assertTrue(report.distinct() >= 50_000, () -> report.distinct() + " states");
        assertEquals(report.distinct(), report.casesInAll());
        assertEquals(StateCheck.KINDS, report.cases().size(), () -> report.cases().toString());
    }

    @Test
    void shouldLeaveTheSameTraceWhenTheSeedIsTheSame() {
        final CampaignReport report = run(Scale.SMOKE, 7, 1);
        final CampaignReport again = run(Scale.SMOKE, 7, 2);
        assertEquals(report.traceHash(), again.traceHash());
        assertEquals(report.cases(), again.cases());
        assertTrue(report.distinct() > 200, () -> report.distinct() + " states");
        assertNotEquals(report.traceHash(), run(Scale.SMOKE, 8, 1).traceHash());
    }

    /** A planted bug: while a step of that kind is run, the device says that it flushed and did not. */
    private static CrashStatesCampaign ignoringFlushesOf(Step.Verb verb) {
        return new CrashStatesCampaign((work, step) ->
                ((RecordingDevice) work.device()).ignoreFlushes(step.verb() == verb ? Integer.MAX_VALUE : 0));
    }

    @Test
    void shouldShrinkWhatShowsABugAndSayHowToRepeatIt() {
        final CrashStatesCampaign campaign = ignoringFlushesOf(Step.Verb.RESIZE);
        final String workload = Step.textOf(NamedWorkloads.steps("volumes"));
        final CampaignReport report = campaign.run(plan(Scale.SMOKE, 1, 1, Map.of("workload", workload)));
        assertEquals(1, report.findings().size());
        final Finding finding = report.findings().getFirst();
        assertEquals(2, finding.workload().lines().count(), finding::toString);
        assertTrue(finding.workload().startsWith("create ") && finding.workload().contains("\nresize "), finding::toString);

        final Matcher repeat = Pattern.compile(
                        "kvmdb crashtest --only crash-states --seed 1 --option 'workload=(.*)' --option state=([0-9a-f]+)")
                .matcher(finding.repeat());
        assertTrue(repeat.matches(), finding::repeat);
        final Map<String, String> options = Map.of("workload", repeat.group(1), "state", repeat.group(2));
        assertEquals(1, campaign.run(plan(Scale.SMOKE, 1, 1, options)).findings().size());
        assertEquals(List.of(), new CrashStatesCampaign().run(plan(Scale.SMOKE, 1, 1, Map.of("workload", repeat.group(1))))
                .findings());
    }

    @Test
    void shouldNoticeWhenAFlushIsSkipped() {
        final AssertionError caught = assertThrows(AssertionError.class, () -> CrashScenario.check(
                Step.parseAll("create a 262144 12; put a 0; put a 1; put a 2"), 6, (work, step) -> {
                    if (step.toString().equals("put a 1")) {
                        ((RecordingDevice) work.device()).ignoreFlushes(1);
                    }
                }));
        assertTrue(caught.getMessage().contains("state "), caught.getMessage());
    }

    /** A planted bug: the segment that was cleaned is reused before a checkpoint says that it is free. */
    @Test
    void shouldNoticeWhenASegmentIsFreedTooEarly() {
        final List<Step> steps = Step.parseAll(
                "create a 524288 12; put a 0-59; checkpoint; put a 0-9; clean 8; clean 8; clean 8; put a 60-119");
        final int[] victim = {-1};
        final AssertionError caught = assertThrows(AssertionError.class, () -> CrashScenario.check(steps, 9, (work, step) -> {
            final SegmentTable segments = work.journal().parts().segments();
            if (step.verb() == Step.Verb.CLEAN && victim[0] < 0) {
                victim[0] = work.journal().mover().census().segments()[0];
            } else if (step.equals(steps.getLast())) {
                while (segments.live(victim[0]) > 0) {
                    work.clean(8);
                }
                segments.free().add(victim[0]);
            }
        }));
        assertTrue(caught.getMessage().contains("state "), caught.getMessage());
    }

    @Test
    void shouldReadStepsAsTheyAreWritten() {
        for (String name : NamedWorkloads.names()) {
            final List<Step> steps = NamedWorkloads.steps(name);
            assertEquals(steps, Step.parseAll(Step.textOf(steps)));
        }
        assertEquals("0-3,7,9-10", Step.textOf(0, 1, 2, 3, 7, 9, 10));
        assertEquals("put a 0-3,7", Step.parse(" put  a 0-3,7 ").toString());
        assertThrows(IllegalArgumentException.class, () -> Step.parse("fly"));
        assertThrows(IllegalArgumentException.class, () -> Step.parse("put a"));
    }
}
