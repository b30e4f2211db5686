package org.kvmdb.ffi;

import org.HdrHistogram.Histogram;

/**
 * The buckets that the fault path counts latencies in: the first 32 are a nanosecond wide, after that each power of two
 * has 16, so that a value is exact to about 6 % ({@code fault_latency.c}).
 */
final class FaultLatency {

    static final int BUCKETS = 1024;

    private static final int DIGITS = 2;

    private FaultLatency() {}

    /** Each count at the upper end of its bucket. */
    static Histogram histogram(long[] counts) {
        final Histogram histogram = new Histogram(DIGITS);
        for (int bucket = 0; bucket < counts.length; bucket++) {
            if (counts[bucket] != 0) {
                histogram.recordValueWithCount(lowerBound(bucket + 1) - 1, counts[bucket]);
            }
        }
        return histogram;
    }

    static long lowerBound(int bucket) {
        return bucket < 32 ? bucket : (16L + (bucket & 15)) << (bucket >> 4) - 1;
    }
}
