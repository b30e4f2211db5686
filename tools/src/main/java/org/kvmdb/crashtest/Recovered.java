package org.kvmdb.crashtest;

import java.util.Arrays;

/**
 * What a workload had said before the crash. Steps are numbered by the workload, upwards; 0 is none. For each lane what is
 * recovered must be: all up to {@link #acknowledged}, nothing beyond {@link #issued}, and between them all up to some
 * step, which is whole.
 */
public final class Recovered {

    private final long seed;
    private final long[] issued;
    private final long[] acknowledged;

    /** Of all lanes, {@link CrashContext#LANES} each. */
    Recovered(long seed, long[] issued, long[] acknowledged) {
        this.seed = seed;
        this.issued = issued.clone();
        this.acknowledged = acknowledged.clone();
    }

    /** That of {@link CrashContext#seed}. */
    public long seed() {
        return seed;
    }

    /** The last step that may be there: the highest that was issued. */
    public long issued() {
        return issued(0);
    }

    /** The last step that must be there: the highest that was acknowledged. */
    public long acknowledged() {
        return acknowledged(0);
    }

    /** As {@link #issued()}, of a lane. */
    public long issued(int lane) {
        return issued[lane];
    }

    /** As {@link #acknowledged()}, of a lane. */
    public long acknowledged(int lane) {
        return acknowledged[lane];
    }

    /**
     * Checks that a step is one to which the store may have been recovered.
     *
     * @throws AssertionError when it lies before what was acknowledged or beyond what was issued
     */
    public void checkStep(long step) {
        checkStep(0, step);
    }

    /** As {@link #checkStep(long)}, of a lane. */
    public void checkStep(int lane, long step) {
        if (step < acknowledged[lane]) {
            throw new AssertionError("step %d was acknowledged, and only %d are there".formatted(acknowledged[lane], step));
        }
        if (step > issued[lane]) {
            throw new AssertionError("step %d was the last to be issued, and %d are there".formatted(issued[lane], step));
        }
    }

    @Override
    public String toString() {
        int lanes = 1;
        for (int lane = 1; lane < issued.length; lane++) {
            lanes = issued[lane] != 0 || acknowledged[lane] != 0 ? lane + 1 : lanes;
        }
        return lanes == 1
                ? "issued %d, acknowledged %d".formatted(issued[0], acknowledged[0])
                : "issued %s, acknowledged %s"
                        .formatted(
                                Arrays.toString(Arrays.copyOf(issued, lanes)),
                                Arrays.toString(Arrays.copyOf(acknowledged, lanes)));
    }
}
