package org.kvmdb.crashtest;

/**
 * Through which a workload says what it does. The harness learns from it what a crash may not lose: a step is
 * <em>issued</em> before anything of it can become durable, and <em>acknowledged</em> when it must survive. Usually {@link
 * #commit} says both. Steps are numbered upwards, by lane; a workload of several threads gives each a lane of its own.
 * Thread-safe.
 */
public final class CrashContext {

    /** How many lanes there are. */
    public static final int LANES = 64;

    /** An action that may fail. */
    public interface Action {
        void run() throws Exception;
    }

    /** Where marks go. */
    interface Marks {
        void issued(int lane, long step);

        void acknowledged(int lane, long step);

        void log(String what);

        boolean next();
    }

    private final long seed;
    private final Marks marks;

    CrashContext(long seed, Marks marks) {
        this.seed = seed;
        this.marks = marks;
    }

    /** Of everything random: a workload that makes its steps of it, and of their numbers, can be repeated and checked. */
    public long seed() {
        return seed;
    }

    /** Whether to do another step. In a recorded run that ends after some, in one that will be killed it does not. */
    public boolean next() {
        return marks.next();
    }

    /** Issues a step, runs what makes it durable, and when that has returned acknowledges the step. */
    public void commit(long step, Action commit) throws Exception {
        commit(0, step, commit);
    }

    /** As {@link #commit(long, Action)}, in a lane. */
    public void commit(int lane, long step, Action commit) throws Exception {
        issued(lane, step);
        commit.run();
        acknowledged(lane, step);
    }

    /** From now on the step may be found after a crash. */
    public void issued(long step) {
        issued(0, step);
    }

    /** As {@link #issued(long)}, in a lane. */
    public void issued(int lane, long step) {
        marks.issued(checked(lane), step);
    }

    /** From now on the step, and all before it, must be found after a crash. */
    public void acknowledged(long step) {
        acknowledged(0, step);
    }

    /** As {@link #acknowledged(long)}, in a lane. */
    public void acknowledged(int lane, long step) {
        marks.acknowledged(checked(lane), step);
    }

    private static int checked(int lane) {
        if (lane < 0 || lane >= LANES) {
            throw new IllegalArgumentException("lanes are from 0 to %d: %d".formatted(LANES - 1, lane));
        }
        return lane;
    }

    /** What is being done, in some words: a finding lists what was said before the crash. */
    public void log(String what) {
        marks.log(what);
    }
}
