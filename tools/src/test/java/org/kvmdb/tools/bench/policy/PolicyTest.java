package org.kvmdb.tools.bench.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PolicyTest {

    private static final int PAGES = 40;

    @Test
    void shouldKeepEverythingThatFits() {
        final int[] trace = IntStream.range(0, 10 * PAGES).map(i -> i % PAGES).toArray();
        Policies.all().forEach((name, maker) ->
                assertEquals(0.9, Policy.hitRatio(maker, trace, PAGES, PAGES), 1e-9, name));
    }

    @Test
    void shouldMissEverythingInALoopThatIsLongerThanLru() {
        final int[] trace = IntStream.range(0, 10 * PAGES).map(i -> i % PAGES).toArray();
        assertEquals(0, Policy.hitRatio(Policies.all().get("LRU"), trace, PAGES, PAGES - 1));
        // The first round misses; then one page in each stretch of as many as there are in the cache.
        assertTrue(Policy.hitRatio(Policies.all().get("Belady"), trace, PAGES, PAGES - 1) > 0.85);
    }

    @Test
    void shouldBeatNobodyThatKnowsTheFuture() {
        final Random random = new Random(1);
        for (int round = 0; round < 50; round++) {
            final int[] trace = random.ints(2000, 0, PAGES).map(i -> i * i / PAGES).toArray();
            final int capacity = 1 + random.nextInt(PAGES - 1);
            final double best = Policy.hitRatio(Policies.all().get("Belady"), trace, PAGES, capacity);
            Policies.all().forEach((name, maker) ->
                    assertTrue(Policy.hitRatio(maker, trace, PAGES, capacity) <= best, name));
        }
    }

    @Test
    void shouldEvictAsWorkedOutByHand() {
        final int[] trace = {0, 1, 0, 2, 0, 1};
        assertEquals(2 / 6.0, Policy.hitRatio(Policies.all().get("LRU"), trace, 3, 2), 1e-9);
        assertEquals(2 / 6.0, Policy.hitRatio(Policies.all().get("CLOCK"), trace, 3, 2), 1e-9);
        assertEquals(2 / 6.0, Policy.hitRatio(Policies.all().get("Belady"), trace, 3, 2), 1e-9);
        // 0 and 1 fill the small queue, 2 takes the place of 0, 0 that of 1 and is known: hits: 0 once.
        assertEquals(1 / 6.0, Policy.hitRatio(Policies.all().get("ours"), trace, 3, 2), 1e-9);
    }
}
