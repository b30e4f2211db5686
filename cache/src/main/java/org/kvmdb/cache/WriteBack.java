package org.kvmdb.cache;

import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.kvmdb.journal.Journal;

/**
 * All operations that take dirty pages from memory: commit, stealing, rollback, resize and others, each in a class of
 * its own. This class owns the write-back lock, under which they run one at a time. Faults continue meanwhile.
 */
final class WriteBack {

    /** How long a writer waits to write to the log itself, instead of through memory. */
    private static final long LARGE_WRITE_WAIT_NANOS = 10_000_000;

    private final Journal journal;
    private final Scopes.Gate scopeGate;
    private final PageWriter writer;
    private final StolenPages stolen;
    private final Stealer stealer;
    private final LargeWrites largeWrites;
    private final RegionChanges changes;
    /** The write-back lock. Fair: who commits in a loop must not keep the stealer out. */
    private final ReentrantLock lock = new ReentrantLock(true);
    /** Changed under the lock, and read without it: who asks for statistics must not wait for a device. */
    private volatile long committedPages;

    WriteBack(Journal journal, PageWriter writer, Scopes.Gate scopeGate) {
        this.journal = journal;
        this.writer = writer;
        this.scopeGate = scopeGate;
        stolen = new StolenPages(journal);
        stealer = new Stealer(journal.space(), writer, stolen);
        largeWrites = new LargeWrites(journal.space(), writer, stolen);
        changes = new RegionChanges(journal, scopeGate, stolen);
    }

    /** Commits a group; each request ends with its sequence or its failure. */
    void commit(List<CommitRequest> group) {
        locked(() -> {
            GroupCommit commit;
            do {
                commit = new GroupCommit(journal, writer, scopeGate, group);
            } while (!commit.attempt());
            committedPages += commit.pageCount();
        });
    }

    /** Moves some dirty pages of a region to the log before their commit. Returns how many. */
    long steal(Region region) {
        lock.lock();
        try {
            return stealer.steal(region);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Writes whole pages that are not in memory to the log, see {@link LargeWrites}. It does not wait long for the lock, and
     * not at all within a write scope, for which a commit that has the lock may be waiting.
     *
     * @return the pages, counted from the first, for which that was done; the others are to be written through memory
     */
    BitSet writeThrough(Region region, long firstLpn, MemorySegment source) {
        if (lock.isHeldByCurrentThread() || !tryLock(scopeGate.isInside() ? 0 : LARGE_WRITE_WAIT_NANOS)) {
            return new BitSet();
        }
        try {
            return largeWrites.write(region, firstLpn, source);
        } finally {
            lock.unlock();
        }
    }

    private boolean tryLock(long waitNanos) {
        try {
            return lock.tryLock(waitNanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Drops what was written to the regions since their last commit. One that was closed is an error if it was named. */
    void rollback(Collection<Region> regions, boolean named) {
        locked(() -> regions.stream().filter(region -> named || !region.isClosed()).forEach(changes::rollback));
    }

    /** Changes the size of a volume that is mapped. */
    void resize(Region region, long sizeBytes) {
        locked(() -> changes.resize(region, sizeBytes));
    }

    /** See {@link PageCache#replace}. */
    void replace(Region region, long sizeBytes, boolean dropsWrites, Runnable change) {
        locked(() -> changes.replace(region, sizeBytes, dropsWrites, change));
    }

    /** Closes a region; what was not committed is dropped. Its memory is closed by now. */
    void discard(Region region) {
        locked(() -> changes.discard(region));
    }

    private void locked(Runnable action) {
        lock.lock();
        try {
            action.run();
        } finally {
            lock.unlock();
        }
    }

    long stolenPages() {
        return stolen.count();
    }

    long committedPages() {
        return committedPages;
    }
}
