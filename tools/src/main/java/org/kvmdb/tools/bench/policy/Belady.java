package org.kvmdb.tools.bench.policy;

import java.util.Arrays;
import java.util.TreeSet;

/** Knows the future: evicts the page that is used again last. What no policy can beat. */
final class Belady implements Policy {

    private final int[] nextUse;
    private final long[] keyOf;
    private final int capacity;
    /** Next use and page of what is in the cache, in one number. */
    private final TreeSet<Long> byNextUse = new TreeSet<>();

    private int now;

    Belady(int[] trace, int pageCount, int capacity) {
        this.capacity = capacity;
        nextUse = new int[trace.length];
        keyOf = new long[pageCount];
        Arrays.fill(keyOf, -1);
        final int[] later = new int[pageCount];
        Arrays.fill(later, Integer.MAX_VALUE);
        for (int i = trace.length - 1; i >= 0; i--) {
            nextUse[i] = later[trace[i]];
            later[trace[i]] = i;
        }
    }

    @Override
    public boolean access(int page) {
        final boolean isHit = keyOf[page] >= 0;
        if (isHit) {
            byNextUse.remove(keyOf[page]);
        } else if (byNextUse.size() == capacity) {
            keyOf[(int) (byNextUse.pollLast() & Integer.MAX_VALUE)] = -1;
        }
        keyOf[page] = (long) nextUse[now++] << Integer.SIZE | page;
        byNextUse.add(keyOf[page]);
        return isHit;
    }
}
