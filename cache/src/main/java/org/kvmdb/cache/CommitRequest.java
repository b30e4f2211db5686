package org.kvmdb.cache;

import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/** One caller's commit, on its way through a group. Its owner sleeps until it is done, or asked to lead a group. */
final class CommitRequest {

    private enum State {
        WAITING,
        LEADING,
        DONE
    }

    private final Set<Region> regions;
    private final boolean named;
    private final boolean durable;
    private final String snapshotName;
    private final Thread owner = Thread.currentThread();
    private volatile State state = State.WAITING;
    private Throwable failure;
    private long sequence;

    /**
     * @param named whether the caller named the regions, so that each must be open; else they are all that were
     * @param snapshotName of a snapshot of each of the regions, to be taken with the commit; null for none
     */
    CommitRequest(Set<Region> regions, boolean named, boolean durable, String snapshotName) {
        this.regions = regions;
        this.named = named;
        this.durable = durable;
        this.snapshotName = snapshotName;
    }

    Set<Region> regions() {
        return regions;
    }

    boolean hasNamed(Region region) {
        return named && regions.contains(region);
    }

    boolean isDurable() {
        return durable;
    }

    /** Or null. */
    String snapshotName() {
        return snapshotName;
    }

    /** An exception that is not checked, or an error. The first failure is the one that is told. */
    void fail(Throwable cause) {
        if (failure == null) {
            failure = cause;
        }
    }

    boolean hasFailed() {
        return failure != null;
    }

    void sequence(long value) {
        sequence = value;
    }

    /** Called by the owner; true when it is to lead the next group, its own request in it. */
    boolean awaitLead() {
        boolean interrupted = false;
        while (state == State.WAITING) {
            LockSupport.park(this);
            // A commit is not cut short; who interrupted finds the flag afterwards.
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            owner.interrupt();
        }
        return state == State.LEADING;
    }

    void lead() {
        wake(State.LEADING);
    }

    void done() {
        wake(State.DONE);
    }

    private void wake(State next) {
        state = next;
        if (owner != Thread.currentThread()) {
            LockSupport.unpark(owner);
        }
    }

    /** Sequence of the commit, or the failure, which is unchecked. */
    long result() {
        return switch (failure) {
            case null -> sequence;
            case Error e -> throw e;
            case Throwable e -> throw (RuntimeException) e;
        };
    }
}
