package org.kvmdb.journal;

import java.util.concurrent.locks.ReentrantLock;
import org.kvmdb.ffi.SpaceAccount;

/**
 * Who may take what of a journal's free space: pages that become dirty, checkpoints, appends that are ahead of the cleaner.
 * Reads the segment table, so all of it but {@link #awaitCleaner} is under the append lock.
 */
final class SpaceBudget {

    /** What a checkpoint opens beside what it writes. */
    private static final int SEGMENTS_RESERVED = 3;

    private final ReentrantLock appendLock;
    private final Failure failure;
    private final SpaceAccount account;
    private final SegmentTable segments;
    private final NodeArena arena;
    private final StoreDictionary dictionary;
    private final Counters counters;
    private final AppendPacer pacer;

    SpaceBudget(JournalParts parts, SpaceAccount account, ReentrantLock appendLock) {
        this.appendLock = appendLock;
        this.failure = parts.failure();
        this.account = account;
        this.segments = parts.segments();
        this.arena = parts.arena();
        this.dictionary = parts.dictionary();
        this.counters = parts.counters();
        this.pacer = new AppendPacer(counters.latencies);
    }

    SpaceAccount account() {
        return account;
    }

    AppendPacer pacer() {
        return pacer;
    }

    /** What a checkpoint may write at worst. */
    long checkpointBytes() {
        return arena.dirtyCount() * Journal.NODE_RESERVE_BYTES
                + 2L * segments.count() * CatalogDescriptor.SEGMENT_LENGTH
                + dictionary.storedBytes();
    }

    /** What a checkpoint may need at worst is kept out of what pages can reserve. */
    void updateReserve() {
        final long reserve = checkpointBytes() + (long) SEGMENTS_RESERVED * segments.segmentSizeBytes();
        account.addAvailable(counters.reserveBytes - reserve);
        counters.reserveBytes = reserve;
    }

    /** Whether segments that a checkpoint would free are needed: little is available, and the file cannot grow. */
    boolean isCheckpointNeeded() {
        return segments.hasReclaimable() && freeBytes() < account.growStepBytes() && !segments.free().grow();
    }

    SegmentStatistics statistics() {
        countSpare();
        return segments.statistics(segments.free().count(), segments.free().holeCount(), counters);
    }

    /** Counts what commits may still take. What is counted lies in memory that goes with the journal. */
    void countSpare() {
        final long elsewhere = (long) (segments.free().holeCount() + segments.free().growable()) * segments.segmentSizeBytes();
        pacer.spareBytes(freeBytes() + elsewhere);
    }

    private long freeBytes() {
        return account.availableBytes() - account.reservedBytes();
    }

    /** Waits if the cleaner is to get ahead; what it goes by is counted anew when nobody keeps it from that. */
    void awaitCleaner() {
        if (!appendLock.isHeldByCurrentThread() && appendLock.tryLock()) {
            try {
                failure.checkOpen();
                countSpare();
            } finally {
                appendLock.unlock();
            }
        }
        pacer.await();
    }
}
