package org.kvmdb.cache;

/**
 * Decides how long a group waits for more commits before it is led. Threads that commit in a loop return as soon as
 * their group has ended. Without the wait, the requests queued meanwhile would start as half of a group, and each half
 * would always wait for the flush of the other. So a group is complete when it has as many commits as each of the last
 * two rounds had; a round is a group and the requests queued behind it. The wait lasts at most half of the shorter of
 * the last two groups, and at most a millisecond. It begins when all owners of the last group have been told. If a wait
 * did not complete the group, threads do other work between their commits, and the next groups do not wait at all.
 *
 * <p>Used under the lock of the coordinator, except {@link #told} and {@link #restNanos}.
 */
final class Gathering {

    /** How many groups do not wait after one that waited in vain, so that waiting in vain costs little on the whole. */
    private static final int GROUPS_AFTER_FAILURE = 16;
    /** Who comes back at once is back by then, however long the device takes. */
    private static final long PATIENCE_MAX_NANOS = 1_000_000;
    /** The kernel's timers are no more exact than that: there is nothing to gain beside a group that is so short. */
    private static final long PATIENCE_MIN_NANOS = 50_000;

    private final long patienceMaxNanos;
    private int seenBefore;
    private int expected;
    private long tookBeforeNanos;
    private int groupsUntilNext;
    private volatile long patienceNanos;
    private volatile long startNanos;

    Gathering() {
        this(PATIENCE_MAX_NANOS);
    }

    Gathering(long patienceMaxNanos) {
        this.patienceMaxNanos = patienceMaxNanos;
    }

    /**
     * A group has ended, and the next one may gather.
     *
     * @param seen commits of that group, and of those that queued meanwhile
     */
    void start(int seen, long groupStartNanos, long nowNanos) {
        expected = Math.min(seen, seenBefore);
        seenBefore = seen;
        final long tookNanos = nowNanos - groupStartNanos;
        final long half = Math.min(tookNanos, tookBeforeNanos) / 2;
        patienceNanos = half < PATIENCE_MIN_NANOS ? 0 : Math.min(half, patienceMaxNanos);
        tookBeforeNanos = tookNanos;
        startNanos = nowNanos;
        groupsUntilNext = Math.max(groupsUntilNext - 1, 0);
    }

    /** The owners of the group that has ended know it by now: they can come back. */
    void told(long nowNanos) {
        startNanos = nowNanos;
    }

    boolean isOver(int waiting, long nowNanos) {
        return waiting >= expected || groupsUntilNext > 0 || restNanos(nowNanos) <= 0;
    }

    /** What is left of its patience; not positive when there is none. */
    long restNanos(long nowNanos) {
        return patienceNanos - (nowNanos - startNanos);
    }

    /** A group waited in vain, and is led now. */
    void failed() {
        groupsUntilNext = GROUPS_AFTER_FAILURE + 1; // it ends itself before the others begin
    }
}
