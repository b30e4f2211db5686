package org.kvmdb.cache;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Group commit. Callers queue their requests; one of them leads: it takes all that wait, commits them together in one
 * batch with one flush, hands the lead to one of those that queued meanwhile, and wakes the owners of its group, nobody
 * else. A lone committer leads itself, so that its commit costs no thread switch.
 */
final class CommitCoordinator {

    private final WriteBack writeBack;
    private final ReentrantLock lock = new ReentrantLock();
    private List<CommitRequest> waiting = new ArrayList<>();
    private boolean isLed;
    private long commits;

    CommitCoordinator(WriteBack writeBack) {
        this.writeBack = writeBack;
    }

    /**
     * Commits everything written to the regions before the call; returns the sequence of the batch.
     *
     * @param named whether the caller named the regions; else they are all that were open, and one closed since is left out
     * @param snapshotName of snapshots of all of them, taken in the same batch; null for none
     */
    long commit(Set<Region> regions, boolean named, boolean durable, String snapshotName) {
        final CommitRequest request = new CommitRequest(regions, named, durable, snapshotName);
        if (enqueue(request) || request.awaitLead()) {
            leadGroup();
        }
        return request.result();
    }

    /** Returns whether the caller is to lead, since nobody does. */
    private boolean enqueue(CommitRequest request) {
        lock.lock();
        try {
            waiting.add(request);
            final boolean leads = !isLed;
            isLed = true;
            return leads;
        } finally {
            lock.unlock();
        }
    }

    private void leadGroup() {
        final List<CommitRequest> group = takeGroup();
        try {
            writeBack.commit(group);
        } catch (RuntimeException | Error e) {
            final RuntimeException failure = e instanceof RuntimeException r ? r : new IllegalStateException(e);
            group.forEach(request -> request.fail(failure));
        } finally {
            handOver(group);
            group.forEach(CommitRequest::done);
        }
    }

    private List<CommitRequest> takeGroup() {
        lock.lock();
        try {
            final List<CommitRequest> group = waiting;
            waiting = new ArrayList<>();
            return group;
        } finally {
            lock.unlock();
        }
    }

    /** The first of those that queued meanwhile leads the next group. */
    private void handOver(List<CommitRequest> group) {
        lock.lock();
        try {
            for (CommitRequest request : group) {
                commits += request.hasFailed() ? 0 : 1;
            }
            isLed = !waiting.isEmpty();
            if (isLed) {
                waiting.getFirst().lead();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Commits that were acknowledged. */
    long commits() {
        lock.lock();
        try {
            return commits;
        } finally {
            lock.unlock();
        }
    }
}
