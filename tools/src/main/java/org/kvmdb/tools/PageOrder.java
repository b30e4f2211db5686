package org.kvmdb.tools;

import java.util.SplittableRandom;

/**
 * Every page once, shuffled. A fixed stride would not do: with the passing of time its pages are neighbours of earlier
 * ones, as in many interleaved streams, and read-ahead finds that.
 */
public final class PageOrder {

    private final int[] order;

    /** @throws IllegalArgumentException for more pages than an array holds */
    public PageOrder(long pages, long seed) {
        if (pages > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("too many pages to shuffle: " + pages);
        }
        order = new int[(int) pages];
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < order.length; i++) {
            int other = random.nextInt(i + 1);
            order[i] = order[other];
            order[other] = i;
        }
    }

    public long page(long position) {
        return order[(int) position];
    }
}
