package org.kvmdb.cache;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Group commit. Callers queue their requests; one of them leads: it takes all that wait, commits them together in one
 * batch with one flush, and wakes their owners; whoever queued meanwhile leads the next group. A lone committer leads
 * itself and hands over to nobody, so that a commit costs no thread switch.
 */
final class CommitCoordinator {

    private final WriteBack writeBack;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition groupEnded = lock.newCondition();
    private List<CommitRequest> waiting = new ArrayList<>();
    private boolean isLed;
    private long commits;

    CommitCoordinator(WriteBack writeBack) {
        this.writeBack = writeBack;
    }

    /** Commits everything written to the regions before the call; returns the sequence of the batch. */
    long commit(Set<Region> regions, boolean durable) {
        final CommitRequest request = new CommitRequest(regions, durable);
        lock.lock();
        try {
            waiting.add(request);
            while (!request.isDone() && isLed) {
                groupEnded.awaitUninterruptibly();
            }
            if (!request.isDone()) {
                leadGroup();
            }
        } finally {
            lock.unlock();
        }
        return request.result();
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

    /** Takes all that wait and commits them, outside the lock. */
    private void leadGroup() {
        final List<CommitRequest> group = waiting;
        waiting = new ArrayList<>();
        isLed = true;
        lock.unlock();
        try {
            writeBack.commit(group);
        } catch (RuntimeException | Error e) {
            final RuntimeException failure = e instanceof RuntimeException r ? r : new IllegalStateException(e);
            group.forEach(request -> request.fail(failure));
        } finally {
            lock.lock();
            isLed = false;
            for (CommitRequest request : group) {
                request.markDone();
                commits += request.hasFailed() ? 0 : 1;
            }
            groupEnded.signalAll();
        }
    }
}
