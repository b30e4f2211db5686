package org.kvmdb.journal;

import org.HdrHistogram.AtomicHistogram;
import org.HdrHistogram.Histogram;

/** Latencies of the operations that callers of a store may wait for, since the journal was opened. Thread-safe. */
public final class Latencies {

    /** What is measured. */
    public enum Kind {
        /** A commit, from the call to its return; failed ones are left out. */
        COMMIT,
        /** A flush of the device for the log. */
        FLUSH,
        /** A checkpoint, during which commits go on. */
        CHECKPOINT,
        /** What a commit waited for the cleaner, when it had to. */
        CLEANER_WAIT,
        /** A step of the cleaner. */
        CLEANING
    }

    private static final long NANOS_MAX = 3_600_000_000_000L;
    private static final int DIGITS = 2;

    private final AtomicHistogram[] histograms = new AtomicHistogram[Kind.values().length];

    Latencies() {
        for (int i = 0; i < histograms.length; i++) {
            histograms[i] = new AtomicHistogram(NANOS_MAX, DIGITS);
        }
    }

    /** @param beginNanos as {@link System#nanoTime()} gave it */
    public void record(Kind kind, long beginNanos) {
        histograms[kind.ordinal()].recordValue(Math.clamp(System.nanoTime() - beginNanos, 0, NANOS_MAX));
    }

    /** A copy, in nanoseconds with two digits. */
    public Histogram of(Kind kind) {
        return histograms[kind.ordinal()].copy();
    }
}
