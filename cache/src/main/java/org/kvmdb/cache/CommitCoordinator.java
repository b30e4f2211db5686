package org.kvmdb.cache;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Group commit. Callers queue their requests, and one of them leads: it takes all queued requests, commits them
 * together with one flush, and wakes their owners. The request that completes the next group leads it, see
 * {@link Gathering}. The first request in the queue watches, and leads when the group is not complete in time. A lone
 * committer leads itself, so its commit costs no thread switch.
 */
final class CommitCoordinator {

    /** Ends the requests of a group, each with its sequence or its failure. */
    private final Consumer<List<CommitRequest>> committer;

    private final ReentrantLock lock = new ReentrantLock();
    private final Gathering gathering;
    private List<CommitRequest> waiting = new ArrayList<>();
    private boolean isLed;
    private long commits;

    CommitCoordinator(Consumer<List<CommitRequest>> committer) {
        this(committer, new Gathering());
    }

    CommitCoordinator(Consumer<List<CommitRequest>> committer, Gathering gathering) {
        this.committer = committer;
        this.gathering = gathering;
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
        if (enqueue(request) || awaitLead(request)) {
            leadGroup(nextWaiting);
        }
        return request.result();
    }

    /** Returns whether the caller is to lead, since nobody does and the group is complete. */
    private boolean enqueue(CommitRequest request) {
        lock.lock();
        try {
            waiting.add(request);
            if (!isLed) {
                startGroup(request);
            }
            return request.isLeading();
        } finally {
            lock.unlock();
        }
    }

    /** Under the lock, while nobody leads and somebody waits: the group is led now, or watched until it is complete. */
    private void startGroup(CommitRequest last) {
        isLed = gathering.isOver(waiting.size(), System.nanoTime());
        if (isLed) {
            last.lead();
        } else {
            waiting.getFirst().watch();
        }
    }

    /** Sleeps until the caller's request is done, or is to lead, which it returns. */
    private boolean awaitLead(CommitRequest request) {
        boolean interrupted = false;
        while (request.isWaiting()) {
            // Nothing but the state's own check may come before a park: whatever locks may take the permit that goes with a change.
            if (!request.isWatching()) {
                LockSupport.park(request);
            } else if (gathering.restNanos(System.nanoTime()) > 0) {
                LockSupport.parkNanos(request, gathering.restNanos(System.nanoTime()));
            } else {
                endWatch(request);
            }
            // A commit is not cut short; who interrupted finds the flag afterwards.
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return request.isLeading();
    }

    /** Who has watched long enough leads, unless somebody does. */
    private void endWatch(CommitRequest request) {
        lock.lock();
        try {
            request.unwatch();
            // Its group may have ended meanwhile, though it was not told yet: then it is none of those that wait.
            if (!isLed && !waiting.isEmpty() && waiting.getFirst() == request) {
                isLed = true;
                gathering.failed();
                request.lead();
            }
        } finally {
            lock.unlock();
        }
    }

    private void leadGroup(List<CommitRequest> nextWaiting) {
        final List<CommitRequest> group = takeGroup(nextWaiting);
        final long startNanos = System.nanoTime();
        try {
            committer.accept(group);
        } catch (RuntimeException | Error e) {
            for (int i = 0; i < group.size(); i++) {
                group.get(i).fail(e);
            }
        } finally {
            endGroup(group, startNanos);
            for (int i = 0; i < group.size(); i++) {
                group.get(i).done();
            }
            gathering.told(System.nanoTime());
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

    private void endGroup(List<CommitRequest> group, long startNanos) {
        lock.lock();
        try {
            for (int i = 0; i < group.size(); i++) {
                commits += group.get(i).hasFailed() ? 0 : 1;
            }
            gathering.start(group.size() + waiting.size(), startNanos, System.nanoTime());
            isLed = false;
            if (!waiting.isEmpty()) {
                startGroup(waiting.getFirst());
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
