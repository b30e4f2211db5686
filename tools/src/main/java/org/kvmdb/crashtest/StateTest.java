package org.kvmdb.crashtest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignTally;

/**
 * Records a run and has its crash states checked. When one is not as it must be, shorter runs are tried, and the shortest
 * that fails, too, is told.
 *
 * @param states how many
 * @param recoveries of how many of them the recovery crashes again
 */
record StateTest(Subject subject, Findings findings, CampaignTally tally, long states, long recoveries, int threads) {

    private static final long SHRUNK_STEPS_MAX = 64;

    void run(Path directory, long steps) throws IOException, InterruptedException {
        Path recorded = Files.createDirectories(directory.resolve("recorded"));
        Subject.Run run;
        try {
            run = subject.record(recorded, steps);
        } catch (Exception | AssertionError | InternalError e) {
            tally.found(findings.ofWorkload(e, steps));
            return;
        }
        RecordedStates recordedStates = new RecordedStates(subject, run, states, tally);
        tally.expect(recordedStates.count());
        RecordedStates.Failure failure = recordedStates.check(directory, threads, recoveries);
        if (failure != null) {
            tell(run, failure, directory);
        }
    }

    private void tell(Subject.Run run, RecordedStates.Failure failure, Path directory)
            throws IOException, InterruptedException {
        Subject.Run shortest = run;
        RecordedStates.Failure simplest = failure;
        long stepsMax = Math.min(SHRUNK_STEPS_MAX, failure.recovered().issued());
        for (long steps = 1; steps <= stepsMax && shortest == run; steps++) {
            Subject.Run shorter = shorter(directory, steps);
            RecordedStates.Failure found = shorter == null
                    ? null
                    : new RecordedStates(subject, shorter, states, uncounted()).check(directory, threads, recoveries);
            if (found != null) {
                shortest = shorter;
                simplest = found;
            }
        }
        tally.found(findings.of(
                "state-" + simplest.number(),
                simplest.how(),
                simplest.recovered(),
                simplest.thrown(),
                simplest.image(),
                shortest.marks().saidUntil(simplest.mark())));
    }

    /** Null when it fails by itself. */
    private Subject.Run shorter(Path directory, long steps) {
        try {
            return subject.record(directory.resolve("recorded"), steps);
        } catch (Exception | AssertionError | InternalError e) {
            return null;
        }
    }

    private CampaignTally uncounted() {
        return new CampaignTally(
                "shrinking",
                new CampaignPlan(
                        CampaignPlan.Scale.VERIFY, subject.seed(), threads, Path.of(""), Map.of(), (done, expected) -> {}));
    }
}
