package org.kvmdb.ffi;

import java.util.Arrays;

/**
 * The distribution of time spent in the fault handler. Buckets are 6 % wide: the first 32 are a nanosecond each, after
 * that each power of two has 16 ({@code record_latency} in {@code page_faulter.c}).
 */
public final class FaultLatency {

    static final int BUCKETS = 1024;

    private final long[] counts;
    private final long maxNanos;

    FaultLatency(long[] counts, long maxNanos) {
        this.counts = counts;
        this.maxNanos = maxNanos;
    }

    public long count() {
        return Arrays.stream(counts).sum();
    }

    public long maxNanos() {
        return maxNanos;
    }

    /** Upper bound of the bucket that the quantile (0 to 1) falls into; 0 when nothing was recorded. */
    public long quantileNanos(double quantile) {
        final long count = count();
        final long rank = (long) Math.ceil(quantile * count);
        long seen = 0;
        for (int bucket = 0; bucket < counts.length; bucket++) {
            seen += counts[bucket];
            if (count > 0 && seen >= rank) {
                return Math.min(maxNanos, lowerBound(bucket + 1));
            }
        }
        return maxNanos;
    }

    static long lowerBound(int bucket) {
        return bucket < 32 ? bucket : (16L + (bucket & 15)) << (bucket >> 4) - 1;
    }
}
