package org.kvmdb;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.agrona.concurrent.IdleStrategy;

/**
 * Decides when the maintenance thread cleans again: after the rest that the last step asked for, or at once when a
 * commit waits for it. A wake-up during a step is not lost. As an idle strategy it parks for the time that is left, one
 * period at most.
 */
final class CleaningRest implements IdleStrategy {

    private final long periodNanos;
    private final AtomicLong dueNanos = new AtomicLong(System.nanoTime());
    private volatile Thread resting;

    CleaningRest(long periodNanos) {
        this.periodNanos = periodNanos;
    }

    /** Makes the next step due at once. Any thread may call it. */
    void wake() {
        dueNanos.set(System.nanoTime());
        LockSupport.unpark(resting);
    }

    /**
     * Runs a step if one is due.
     *
     * @param step returns the nanoseconds to rest; negative: one period
     * @return whether to continue at once
     */
    boolean clean(LongSupplier step) {
        final long due = dueNanos.get();
        if (System.nanoTime() - due < 0) {
            return false;
        }
        final long rest = step.getAsLong();
        // Unless it was woken meanwhile.
        dueNanos.compareAndSet(due, System.nanoTime() + (rest < 0 ? periodNanos : rest));
        return rest == 0;
    }

    /** Time left to rest; 0 when a step is due. */
    long leftNanos() {
        return Math.clamp(dueNanos.get() - System.nanoTime(), 0, periodNanos);
    }

    @Override
    public void idle(int workCount) {
        if (workCount == 0) {
            idle();
        }
    }

    @Override
    public void idle() {
        resting = Thread.currentThread();
        final long left = leftNanos();
        if (left > 0) {
            LockSupport.parkNanos(left);
        }
    }

    @Override
    public void reset() {
        // Nothing is kept from one rest to the next.
    }
}
