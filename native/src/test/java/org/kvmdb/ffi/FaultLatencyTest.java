package org.kvmdb.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class FaultLatencyTest {

    @Test
    void shouldHaveBucketsThatRiseByAtMostSixteenths() {
        for (int bucket = 0; bucket < 900; bucket++) {
            final long low = FaultLatency.lowerBound(bucket);
            final long high = FaultLatency.lowerBound(bucket + 1);
            assertTrue(high > low, "bucket " + bucket);
            assertTrue(bucket < 32 || (high - low) * 16 <= low, "bucket " + bucket);
        }
    }

    @Test
    void shouldKeepWhatWasCounted() {
        final long[] counts = new long[FaultLatency.BUCKETS];
        counts[10] = 90;
        counts[20] = 9;
        counts[100] = 1;
        final Histogram latency = FaultLatency.histogram(counts);
        assertEquals(100, latency.getTotalCount());
        assertEquals(10, latency.getValueAtPercentile(50));
        assertEquals(20, latency.getValueAtPercentile(99));
        assertEquals(FaultLatency.lowerBound(101), latency.getMaxValue(), 8);
    }

    @Test
    void shouldHoldNothingWhenNothingWasCounted() {
        assertEquals(0, FaultLatency.histogram(new long[FaultLatency.BUCKETS]).getTotalCount());
    }
}
