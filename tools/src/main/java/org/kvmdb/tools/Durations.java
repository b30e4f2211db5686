package org.kvmdb.tools;

/** Durations with three significant digits and the unit that suits them. */
public final class Durations {

    private Durations() {}

    public static String format(long nanos) {
        long magnitude = Math.abs(nanos);
        if (magnitude < 1_000) {
            return nanos + " ns";
        }
        if (magnitude < 999_500) {
            return Sizes.significant(nanos / 1e3) + " µs";
        }
        if (magnitude < 999_500_000) {
            return Sizes.significant(nanos / 1e6) + " ms";
        }
        return Sizes.significant(nanos / 1e9) + " s";
    }
}
