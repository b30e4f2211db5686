package org.kvmdb.journal;

import java.util.concurrent.locks.ReentrantLock;
import org.kvmdb.ffi.SpaceAccount;

/**
 * Who may take what of a journal's free space: pages that become dirty, checkpoints, appends that are ahead of the cleaner.
 * Reads the segment table, so all of it but {@link #awaitCleaner} is under the append lock.
 */
final class SpaceBudget {

    private final ReentrantLock appendLock;
    private final Failure failure;
    private final SpaceAccount account;
    private final SegmentTable segments;
    private final LogWriter log;
    private final CheckpointSize size;
    private final Counters counters;
    private final AppendPacer pacer;
    private long promisedStreamBytes;
    private long promisedBytes;

    SpaceBudget(JournalParts parts, SpaceAccount account, ReentrantLock appendLock) {
        this.appendLock = appendLock;
        this.failure = parts.failure();
        this.account = account;
        this.segments = parts.segments();
        this.log = parts.log();
        this.size = parts.checkpointSize();
        this.counters = parts.counters();
        this.pacer = new AppendPacer(counters.latencies);
    }

    SpaceAccount account() {
        return account;
    }

    AppendPacer pacer() {
        return pacer;
    }

    /** What a checkpoint may write, without what is left unused around it: what it costs. */
    long checkpointBytes() {
        return size.contentBytes();
    }

    /**
     * Keeps room for a version that is about to be made, until {@link #settle}: checkpoints will hold its entry. Throws
     * STORE_FULL when there is none.
     *
     * @param name as the entry holds it
     * @param nodes of its map that are made with it
     */
    void promise(String name, int nodes) {
        final long streamBytes = promisedStreamBytes + MetadataCodec.VersionImage.length(name);
        size.checkEntriesFit(streamBytes);
        final long needed = size.reserveBytes(streamBytes) - counters.reserveBytes + nodes * Journal.NODE_RESERVE_BYTES;
        final long more = Math.max(0, needed - promisedBytes);
        if (more > 0 && !account.tryReserve(more)) {
            throw log.storeFull();
        }
        promisedStreamBytes = streamBytes;
        promisedBytes += more;
    }

    /** The versions that room is kept for are made, and part of the reserve; or they will not be. */
    void settle() {
        if (promisedBytes > 0) { // else there may be no account any more
            account.release(promisedBytes);
        }
        promisedBytes = 0;
        promisedStreamBytes = 0;
    }

    /** Throws STORE_FULL when a version of that name, which is made to make room, would take what checkpoints need. */
    void checkRoomToMakeRoom(String name) {
        size.checkEntriesFit(MetadataCodec.VersionImage.length(name));
        final long reserve = size.reserveBytes(MetadataCodec.VersionImage.length(name));
        if (!segments.free().ensure(SpaceClaim.MAKE_ROOM.leavesBytes(reserve, segments.segmentSizeBytes()))) {
            throw log.storeFull();
        }
    }

    /** So many segments hold what checkpoints may need at worst. */
    int reserveSegments() {
        return Math.toIntExact(Math.ceilDiv(size.reserveBytes(0), (long) segments.segmentSizeBytes()));
    }

    /** What checkpoints may need at worst is kept out of what pages can reserve. */
    void updateReserve() {
        final long reserve = size.reserveBytes(0);
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
