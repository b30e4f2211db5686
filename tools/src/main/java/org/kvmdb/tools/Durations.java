package org.kvmdb.tools;

/** Durations with three significant digits and the unit that suits them; long ones in minutes, or hours. */
public final class Durations {

    private static final long MINUTES_FROM_SECONDS = 600;
    private static final long HOURS_FROM_SECONDS = 7200;

    /** What a command runs for at most, in minutes: a year. Longer times would not fit into nanoseconds at some point. */
    public static final int MINUTES_MAX = 366 * 24 * 60;

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
        long seconds = Math.round(nanos / 1e9);
        if (Math.abs(seconds) < MINUTES_FROM_SECONDS) {
            return Sizes.significant(nanos / 1e9) + " s";
        }
        return seconds < HOURS_FROM_SECONDS
                ? "%d min %02d s".formatted(seconds / 60, seconds % 60)
                : "%d h %02d min".formatted(seconds / 3600, seconds / 60 % 60);
    }
}
