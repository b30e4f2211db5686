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
        // Before anybody relies on this thread: who leads must not fail for want of memory before the group is taken.
        final List<CommitRequest> nextWaiting = new ArrayList<>();
        if (enqueue(request) || request.awaitLead()) {
            leadGroup(nextWaiting);
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

    private void leadGroup(List<CommitRequest> nextWaiting) {
        final List<CommitRequest> group = takeGroup(nextWaiting);
        try {
            writeBack.commit(group);
        } catch (RuntimeException | Error e) {
            for (int i = 0; i < group.size(); i++) {
                group.get(i).fail(e);
            }
        } finally {
            handOver(group);
            for (int i = 0; i < group.size(); i++) {
                group.get(i).done();
            }
        }
    }

    private List<CommitRequest> takeGroup(List<CommitRequest> nextWaiting) {
        lock.lock();
        try {
            final List<CommitRequest> group = waiting;
            waiting = nextWaiting;
            return group;
        } finally {
            lock.unlock();
        }
    }

    /** The first of those that queued meanwhile leads the next group. */
    private void handOver(List<CommitRequest> group) {
        lock.lock();
        try {
            for (int i = 0; i < group.size(); i++) {
                commits += group.get(i).hasFailed() ? 0 : 1;
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
