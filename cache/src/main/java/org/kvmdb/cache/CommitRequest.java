package org.kvmdb.cache;

import java.util.Set;

/** One caller's commit, on its way through a group. */
final class CommitRequest {

    private final Set<Region> regions;
    private final boolean durable;
    private RuntimeException failure;
    private boolean done;
    private long sequence;

    CommitRequest(Set<Region> regions, boolean durable) {
        this.regions = regions;
        this.durable = durable;
    }

    Set<Region> regions() {
        return regions;
    }

    boolean isDurable() {
        return durable;
    }

    /** The first failure is the one that is told. */
    void fail(RuntimeException cause) {
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

    boolean isDone() {
        return done;
    }

    void markDone() {
        done = true;
    }

    /** Sequence of the commit, or the failure. */
    long result() {
        if (failure != null) {
            throw failure;
        }
        return sequence;
    }
}
