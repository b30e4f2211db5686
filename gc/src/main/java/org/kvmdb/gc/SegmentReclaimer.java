package org.kvmdb.gc;

import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.Journal;
import org.kvmdb.journal.SegmentStatistics;

/**
 * Decides when dead segments are freed, and how many free segments keep their disk space.
 *
 * <p>A segment without live blocks becomes free at the next checkpoint. Such segments make a checkpoint due when they
 * are a considerable share of the store, or when room is short; otherwise the length of the log makes it due. Free
 * segments are used before the file grows.
 *
 * <p>Commits into a segment that was written before are cheapest, so a pool of free segments keeps its space. The pool
 * has as many segments as the log has used since the previous checkpoint, since it will need about as many until the
 * next one, but at most a quarter of the segments in use. The rest is given back to the file system, a few segments per
 * step. Holes do not reduce the room: commits and page faults fill them before the file grows.
 *
 * <p>Thread-safe: one background thread calls {@link #step()}, any thread {@link #checkpoint()}.
 */
public final class SegmentReclaimer {

    /** Dead or pooled segments in use are compared with this share of those in use. */
    private static final int SHARE = 4;

    private static final int SEGMENTS_PER_STEP = 64;

    /** Free segments that keep their space in any case. */
    private static final int SPARE_SEGMENTS = 2;

    /** Blocks of deleted versions that are freed while commits wait: about a millisecond. */
    private static final int BLOCKS_PER_PIECE = 512;

    /** Pieces of what was deleted that closing waits for: about a second's work. */
    private static final int PIECES_AT_CLOSE_MAX = 2000;

    private final Journal journal;
    private final int pooledSegmentsMin;
    private final Object planLock = new Object();
    private long writtenBytesAtCheckpoint;
    private int pooledSegments;

    /** @param pooledSegmentsMin free segments that keep their space in any case */
    public SegmentReclaimer(Journal journal, int pooledSegmentsMin) {
        this.journal = journal;
        this.pooledSegmentsMin = pooledSegmentsMin;
        this.pooledSegments = pooledSegmentsMin;
    }

    /**
     * What a background thread calls again and again: a piece of what was deleted, a checkpoint if one is due, a piece of what
     * is to be given back.
     *
     * @return whether there is more to do at once
     */
    public boolean step() {
        final boolean isMore = journal.versions().dropStep(BLOCKS_PER_PIECE);
        if (isCheckpointDue()) {
            journalCheckpoint();
        } else if (!isMore) {
            giveBack(SEGMENTS_PER_STEP);
        }
        return isMore;
    }

    /** Whether the log has grown long, or dead segments have become many or are needed. */
    public boolean isCheckpointDue() {
        if (journal.checkpointIsDue()) {
            return true;
        }
        final SegmentStatistics segments = journal.segmentStatistics();
        return segments.reclaimable() > Math.max(2 * pooledSegmentsMin, segments.full() / SHARE);
    }

    /**
     * Frees all that was deleted, takes a checkpoint and gives back what it made superfluous. What readers may still look at
     * follows in later steps.
     *
     * @return the sequence that the checkpoint reaches to
     */
    public long checkpoint() {
        while (journal.versions().dropStep(BLOCKS_PER_PIECE)) {
            Thread.onSpinWait(); // the append lock was free in between
        }
        return journalCheckpoint();
    }

    long journalCheckpoint() {
        final long sequence = journal.checkpoint();
        plan();
        while (giveBack(SEGMENTS_PER_STEP) == SEGMENTS_PER_STEP) {
            Thread.onSpinWait(); // the append lock was free in between
        }
        return sequence;
    }

    /** Gives the disk space of nearly all free segments back, the pool's, too: for who wants it more than quick commits. */
    public void giveBackAll() {
        while (journal.punchFreeSegments(SPARE_SEGMENTS, SEGMENTS_PER_STEP) == SEGMENTS_PER_STEP) {
            Thread.onSpinWait(); // the append lock was free in between
        }
    }

    /** Before the journal is closed: gives back what its last checkpoint would free and keep. A long deletion goes on later. */
    public void finish() {
        try {
            for (int i = 0; i < PIECES_AT_CLOSE_MAX && journal.versions().dropStep(BLOCKS_PER_PIECE); i++) {
                Thread.onSpinWait(); // the append lock was free in between
            }
            if (journal.segmentStatistics().reclaimable() > pooledSegmentsMin) {
                journalCheckpoint();
            }
        } catch (StorageException e) {
            // Closing goes on without: a journal that failed writes nothing more, a full one does what it can.
            if (e.code() != ErrorCode.FAILED && e.code() != ErrorCode.STORE_FULL) {
                throw e;
            }
        }
    }

    /** Free segments that keep their space at present. */
    public int pooledSegments() {
        synchronized (planLock) {
            return pooledSegments;
        }
    }

    private void plan() {
        final SegmentStatistics segments = journal.segmentStatistics();
        synchronized (planLock) {
            final long used = (segments.writtenBytes() - writtenBytesAtCheckpoint) / segments.segmentSizeBytes() + 1;
            writtenBytesAtCheckpoint = segments.writtenBytes();
            pooledSegments = (int) Math.max(pooledSegmentsMin, Math.min(used, segments.full() / SHARE));
        }
    }

    private int giveBack(int countAtMost) {
        return journal.punchFreeSegments(pooledSegments(), countAtMost);
    }
}
