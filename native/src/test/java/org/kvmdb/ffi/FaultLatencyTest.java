package org.kvmdb.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class FaultLatencyTest {

    @Test
    void shouldBeZeroWhenNothingWasRecorded() {
        final FaultLatency latency = new FaultLatency(new long[FaultLatency.BUCKETS], 0);
        assertEquals(0, latency.count());
        assertEquals(0, latency.quantileNanos(0.5));
        assertEquals(0, latency.quantileNanos(1));
    }

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
    void shouldFindQuantiles() {
        final long[] counts = new long[FaultLatency.BUCKETS];
        counts[10] = 90;
        counts[20] = 9;
        counts[100] = 1;
        final FaultLatency latency = new FaultLatency(counts, 700);
        assertEquals(100, latency.count());
        assertEquals(11, latency.quantileNanos(0.5));
        assertEquals(11, latency.quantileNanos(0.9));
        assertEquals(21, latency.quantileNanos(0.91));
        assertEquals(21, latency.quantileNanos(0.99));
        assertEquals(FaultLatency.lowerBound(101), latency.quantileNanos(1));
        assertEquals(700, latency.maxNanos());
    }

    @Test
    void shouldNotExceedTheMaximum() {
        final long[] counts = new long[FaultLatency.BUCKETS];
        counts[100] = 1;
        assertEquals(650, new FaultLatency(counts, 650).quantileNanos(0.5));
    }
}
