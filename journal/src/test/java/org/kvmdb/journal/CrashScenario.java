package org.kvmdb.journal;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.CrashStates;
import org.kvmdb.journal.simulation.RecordingDevice;

/**
 * Runs steps on a recorded store and checks all that crashes could have left of it. {@link #check} is all that somebody
 * needs who wants to know whether a store survives some steps. For one thread.
 */
final class CrashScenario implements AutoCloseable {

    /** Some hundred states of each flush. */
    static final CrashStates.Limits USUAL = new CrashStates.Limits(8, 6, 8, 8, 4, true);

    /** Pages that lie so far apart are of different map nodes. */
    private static final int FAR_APART = 300;

    /** A step that spoke of what was not there. */
    static final class ImpossibleStep extends RuntimeException {
        private static final long serialVersionUID = 1;

        ImpossibleStep(Step step) {
            super("impossible: " + step);
        }
    }

    private final RecordingDevice device = new RecordingDevice(new MemoryDevice("scenario"));
    private final JournalOptions options = Workload.tinyOptions();
    private final Workload work;
    private final long seed;
    private final List<Step> done = new ArrayList<>();
    private final BiConsumer<Workload, Step> beforeStep;
    private final RandomSteps randomSteps;
    private int firstEvent;

    /**
     * @param seed of the store and of the states by chance
     * @param stepSeed of steps by chance
     * @param beforeStep is called before each step, as to plant a bug
     */
    CrashScenario(long seed, long stepSeed, BiConsumer<Workload, Step> beforeStep) {
        this.seed = seed;
        this.beforeStep = beforeStep;
        work = new Workload(device, options, seed);
        randomSteps = new RandomSteps(work, new SplittableRandom(stepSeed), (stepSeed & 3) == 0 ? FAR_APART : 1);
    }

    /** Runs steps on a new store and checks what crashes could leave; throws at the first wrong state. Returns how many. */
    static long check(List<Step> steps, long seed) {
        return check(steps, seed, (work, step) -> {});
    }

    static long check(List<Step> steps, long seed, BiConsumer<Workload, Step> beforeStep) {
        try (CrashScenario scenario = new CrashScenario(seed, 0, beforeStep)) {
            scenario.create();
            scenario.checkFromHere();
            scenario.run(steps);
            return scenario.checkStates(USUAL, StateCheck.Rates.USUAL, new CheckedImages(), null);
        }
    }

    /** Makes the store. */
    void create() {
        work.create();
    }

    /** Only crashes from here on are looked at; else from the beginning on. */
    void checkFromHere() {
        firstEvent = device.events().size();
    }

    void run(List<Step> steps) {
        steps.forEach(this::run);
    }

    void run(Step step) {
        if (!step.isPossible(work)) {
            throw new ImpossibleStep(step);
        }
        done.add(step);
        beforeStep.accept(work, step);
        try {
            work.perform(step);
        } catch (StorageException e) {
            throw new AssertionError("step %s failed: %s".formatted(step, e), e);
        }
    }

    void runRandom(int count) {
        for (int i = 0; i < count; i++) {
            run(randomSteps.next());
        }
    }

    /** What was run so far. */
    List<Step> steps() {
        return done;
    }

    RecordingDevice device() {
        return device;
    }

    /** Checks them; returns how many states there were. */
    long checkStates(CrashStates.Limits limits, StateCheck.Rates rates, CheckedImages images, CampaignTally tally) {
        work.close();
        final StateCheck check = new StateCheck(work.model(), options, images, rates, seed, tally);
        return new CrashStates(device, seed, limits, check::check).walk(firstEvent, -1, 0);
    }

    /** Checks the one state whose image has that hash, with everything that is done to some; whether there is one. */
    boolean checkState(CrashStates.Limits limits, long imageHash) {
        work.close();
        final StateCheck check =
                new StateCheck(work.model(), options, new CheckedImages(), StateCheck.Rates.ALL, seed, null);
        final boolean[] seen = new boolean[1];
        new CrashStates(device, seed, limits, state -> {
            if (state.imageHash() == imageHash) {
                seen[0] = true;
                check.check(state);
            }
        }).walk(firstEvent, -1, 0);
        return seen[0];
    }

    @Override
    public void close() {
        work.close();
        device.dispose();
    }
}
