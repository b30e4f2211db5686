package org.kvmdb.tools;

/** Every page once, in an order that no read-ahead can guess. */
public final class PageOrder {

    private final long pages;
    private final long stride;

    public PageOrder(long pages) {
        this.pages = pages;
        long candidate = Math.max(1, (long) (pages * 0.618));
        while (greatestCommonDivisor(candidate, pages) != 1) {
            candidate++;
        }
        this.stride = candidate;
    }

    public long page(long position) {
        return Math.floorMod(position * stride, pages);
    }

    private static long greatestCommonDivisor(long a, long b) {
        return b == 0 ? a : greatestCommonDivisor(b, a % b);
    }
}
