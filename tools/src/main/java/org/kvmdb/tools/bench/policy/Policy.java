package org.kvmdb.tools.bench.policy;

/** A cache of so many pages that is asked for one after the other. */
public interface Policy {

    /** Makes one for a trace: its pages are numbered from 0. */
    @FunctionalInterface
    interface Maker {
        Policy make(int[] trace, int pageCount, int capacity);
    }

    /** Whether the page was in the cache; it is afterwards. */
    boolean access(int page);

    /** Hits among the accesses of a trace, by a policy that begins empty. */
    static double hitRatio(Maker maker, int[] trace, int pageCount, int capacity) {
        final Policy policy = maker.make(trace, pageCount, capacity);
        int hits = 0;
        for (int page : trace) {
            hits += policy.access(page) ? 1 : 0;
        }
        return (double) hits / trace.length;
    }
}
