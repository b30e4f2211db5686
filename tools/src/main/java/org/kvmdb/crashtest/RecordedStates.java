package org.kvmdb.crashtest;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.agrona.collections.LongHashSet;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.CrashStates;
import org.kvmdb.journal.simulation.CrashStates.Limits;
import org.kvmdb.journal.simulation.KeptDevice;
import org.kvmdb.journal.simulation.RecordingDevice;
import org.kvmdb.journal.simulation.SimulatedDisk;

/**
 * Checks the states that a loss of power could have left of a recorded run; and for some of them also those that another
 * one could leave of their recovery. Several threads walk through the same states, and each checks its share.
 */
final class RecordedStates {

    private static final int CHANCES_MIN = 4;
    private static final int CHANCES_MAX = 1 << 12;
    private static final int RECOVERY_STATES = 4;

    /** The first state that is not as it must be. */
    record Failure(long number, String how, Recovered recovered, int mark, Throwable thrown, byte[] image) {}

    private final Subject subject;
    private final Subject.Run run;
    private final CampaignTally tally;
    private final long wanted;
    private Limits limits;
    /** How many different ones there are. */
    private long total;
    private final AtomicLong firstFailure = new AtomicLong(Long.MAX_VALUE);
    private Failure failure;

    /** @param wanted how many states; there may be fewer */
    RecordedStates(Subject subject, Subject.Run run, long wanted, CampaignTally tally) {
        this.subject = subject;
        this.run = run;
        this.tally = tally;
        this.wanted = wanted;
        long before;
        int chances = CHANCES_MIN;
        do {
            before = total;
            limits = new Limits(8, 6, 12, chances, chances, false);
            total = walk(limits, (state, number) -> {});
            chances *= 2;
        } while (total < wanted && total > before && chances <= CHANCES_MAX);
    }

    private interface Visitor {
        /** @param number among those that are different, from 0 */
        void visit(CrashStates.State state, long number);
    }

    /** Visits each different state once; returns how many they are. */
    private long walk(Limits some, Visitor visitor) {
        LongHashSet seen = new LongHashSet();
        new CrashStates(run.recording(), subject.seed(), some, state -> {
                    if (seen.add(CampaignTally.mix(state.imageHash()) ^ state.issued())) {
                        visitor.visit(state, seen.size() - 1);
                    }
                })
                .walk(0, 0, 0);
        return seen.size();
    }

    long count() {
        return Math.min(wanted, total);
    }

    /** @param recoveryOf how many states are to be crashed again while they recover */
    Failure check(Path directory, int threads, long recoveryOf) throws InterruptedException {
        Shares.run(threads, share -> check(
                Files.createDirectories(directory.resolve("states-" + share)), share, threads, recoveryOf));
        return failure;
    }

    private void check(Path directory, int share, int shares, long recoveryOf) {
        try (SimulatedDisk disk = new SimulatedDisk(directory)) {
            walk(limits, (state, number) -> {
                if (number % shares == share
                        && isChosen(number, wanted, total)
                        && state.number() < firstFailure.get()) {
                    check(disk, directory, state, isChosen(number, recoveryOf, total));
                }
            });
        }
    }

    /** Some of all, evenly. */
    static boolean isChosen(long number, long some, long all) {
        return some >= all || number * some / all != (number + 1) * some / all;
    }

    private void check(SimulatedDisk disk, Path directory, CrashStates.State state, boolean crashesAgain) {
        tally.isNew(state.imageHash());
        Recovered recovered = run.marks().recovered(subject.seed(), state.issued());
        KeptDevice device = state.device();
        RecordingDevice recovery = crashesAgain ? new RecordingDevice(device) : null;
        disk.insert(crashesAgain ? recovery : device);
        tally.add("power cut: " + state.kind());
        Throwable thrown = subject.failure(directory, recovered);
        if (thrown != null) {
            state.device();
            fail(state, told(state), recovered, thrown, imageOf(device));
        } else if (crashesAgain) {
            checkRecovery(disk, directory, state, recovery, recovered);
        }
    }

    /** The first that goes through as many again. */
    private void checkRecovery(
            SimulatedDisk disk, Path directory, CrashStates.State state, RecordingDevice recovery, Recovered recovered) {
        long all = new CrashStates(recovery, subject.seed(), Limits.FEW, again -> {}).walk(0, 0, 0);
        new CrashStates(recovery, subject.seed(), Limits.FEW, again -> {
                    if (!isChosen(again.number(), RECOVERY_STATES, all) || state.number() >= firstFailure.get()) {
                        return;
                    }
                    disk.insert(again.device());
                    tally.add("power cut again in recovery");
                    Throwable thrown = subject.failure(directory, recovered);
                    if (thrown != null) {
                        String how = "%s, and during its recovery %s".formatted(told(state), told(again));
                        fail(state, how, recovered, thrown, imageOf(again.device()));
                    }
                })
                .walk(0, 0, 0);
    }

    private static String told(CrashStates.State state) {
        return "a power cut (%s): of what was written since the last flush %s there, whole or in part"
                .formatted(
                        state.kind(),
                        state.left().isEmpty()
                                ? "nothing is"
                                : state.left().size() == 1 ? "1 write is" : state.left().size() + " writes are");
    }

    private static byte[] imageOf(KeptDevice device) {
        return new RecordingDevice(device.medium()).startImage();
    }

    private synchronized void fail(
            CrashStates.State state, String how, Recovered recovered, Throwable thrown, byte[] image) {
        if (state.number() < firstFailure.get()) {
            firstFailure.set(state.number());
            failure = new Failure(state.number(), how, recovered, state.issued(), thrown, image);
        }
    }
}
