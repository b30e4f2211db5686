package org.kvmdb.tools.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class PickerTest {

    private static final int PAGES = 10_000;
    private static final int DRAWS = 200_000;

    private static int[] counts(Picker picker) {
        SplittableRandom random = new SplittableRandom(3);
        int[] counts = new int[PAGES];
        for (int i = 0; i < DRAWS; i++) {
            counts[(int) picker.next(random)]++;
        }
        return counts;
    }

    @Test
    void shouldPreferFewScatteredPagesWhenZipf() {
        int[] counts = counts(Picker.zipf(PAGES, 0.99));
        int[] sorted = Arrays.stream(counts).sorted().toArray();
        // 1 / (1 + 1/2^0.99 + 1/3^0.99 + ...) of them is the first one's share: a tenth.
        assertEquals(DRAWS / 10.0, sorted[PAGES - 1], DRAWS / 50.0);
        int popular = Arrays.stream(sorted, PAGES - PAGES / 100, PAGES).sum();
        assertTrue(popular > DRAWS / 2, "the most popular hundredth got " + popular);
        int firstTenth = Arrays.stream(counts, 0, PAGES / 10).sum();
        assertTrue(firstTenth < DRAWS / 2, "the first tenth got " + firstTenth);
    }

    @Test
    void shouldReachEveryPageOnceBeforeAnyTwiceWhenAskedFor() {
        SplittableRandom random = new SplittableRandom(3);
        Picker picker = Picker.everyOneFirst(PAGES);
        long[] first = LongStream.generate(() -> picker.next(random)).limit(PAGES).toArray();
        assertArrayEquals(LongStream.range(0, PAGES).toArray(), LongStream.of(first).sorted().toArray());
        assertFalse(Arrays.equals(LongStream.range(0, PAGES).toArray(), first));
        assertTrue(Arrays.stream(counts(picker)).min().orElseThrow() > 0);
    }

    @Test
    void shouldReachAllPagesWhenUniform() {
        assertTrue(Arrays.stream(counts(Picker.uniform(PAGES))).min().orElseThrow() > 0);
    }
}
