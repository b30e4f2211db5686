package org.kvmdb.cache;

import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * One caller's commit on its way through a group. Its owner sleeps until the commit is done, or until it has to lead a
 * group or watch one gather.
 */
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
    private volatile boolean watching;
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

    boolean isWaiting() {
        return state == State.WAITING;
    }

    boolean isLeading() {
        return state == State.LEADING;
    }

    boolean isWatching() {
        return watching;
    }

    void watch() {
        if (!watching) {
            watching = true;
            wake();
        }
    }

    void unwatch() {
        watching = false;
    }

    void lead() {
        state = State.LEADING;
        wake();
    }

    void done() {
        state = State.DONE;
        wake();
    }

    private void wake() {
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
