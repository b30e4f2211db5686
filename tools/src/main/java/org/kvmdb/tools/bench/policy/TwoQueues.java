package org.kvmdb.tools.bench.policy;

import java.util.ArrayDeque;

/**
 * What {@code page_evict.c} does: pages enter a small queue, those that come back soon after their eviction a main one; the
 * small one is evicted from while it is longer than its share, and a page that was used since it was queued goes to the main
 * one instead. With plain memory nothing sees a hit, so uses stay 0; S3-FIFO counts them.
 */
final class TwoQueues implements Policy {

    private final int capacity;
    private final int usesMax;
    private final double smallShare;
    private final double ghostLength;
    private final ArrayDeque<Integer> small = new ArrayDeque<>();
    private final ArrayDeque<Integer> main = new ArrayDeque<>();
    private final boolean[] present;
    private final byte[] uses;
    /** When a page was evicted last, in evictions; 0: never. */
    private final int[] stamp;

    private int evictions;

    /**
     * @param usesMax hits that are counted
     * @param smallShare of the pages, beyond which the small queue is evicted from
     * @param ghostLength evictions after which a page that comes back is new, as a multiple of the capacity
     */
    TwoQueues(int pageCount, int capacity, int usesMax, double smallShare, double ghostLength) {
        this.capacity = capacity;
        this.usesMax = usesMax;
        this.smallShare = smallShare;
        this.ghostLength = ghostLength;
        present = new boolean[pageCount];
        uses = new byte[pageCount];
        stamp = new int[pageCount];
    }

    @Override
    public boolean access(int page) {
        if (present[page]) {
            uses[page] = (byte) Math.min(usesMax, uses[page] + 1);
            return true;
        }
        if (small.size() + main.size() == capacity) {
            evict();
        }
        final boolean cameBackSoon = stamp[page] != 0 && evictions - stamp[page] <= ghostLength * capacity;
        (cameBackSoon ? main : small).add(page);
        present[page] = true;
        uses[page] = 0;
        return false;
    }

    private void evict() {
        while (true) {
            final boolean fromSmall = main.isEmpty() || small.size() > smallShare * capacity;
            final int page = (fromSmall ? small : main).remove();
            if (uses[page] == 0) {
                present[page] = false;
                stamp[page] = ++evictions;
                return;
            }
            uses[page]--;
            main.add(page);
        }
    }
}
