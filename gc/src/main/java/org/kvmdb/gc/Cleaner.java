package org.kvmdb.gc;

import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.Journal;
import org.kvmdb.journal.Latencies;
import org.kvmdb.journal.SegmentCensus;
import org.kvmdb.journal.SegmentMover;
import org.kvmdb.journal.SegmentStatistics;

/**
 * Turns partly dead segments into free ones by having their live blocks moved elsewhere. {@link VictimPolicy} chooses
 * the segments.
 *
 * <p><b>When.</b> The cleaner works while the space that commits may still take, plus the segments that the next
 * checkpoint frees, is less than the <em>target</em>: a fiftieth of all segments, at least 8, not counting the reserve
 * of checkpoints and deletions. It also works while more than a quarter of the bytes of the segments in use is dead, so
 * that a store without a size limit does not grow for ever. When half of the target is left, it takes a checkpoint,
 * which frees the cleaned segments.
 *
 * <p><b>Pace.</b> A step moves at most one MiB. With three quarters of the target or more, the cleaner rests after each
 * step for as long as the step took; with less it does not rest. While less than three quarters of the target can be
 * taken at once, a commit waits for a time for each byte that it writes; at one half, this is twice the time that the
 * cleaner recently needed to gain a byte. With less than half, commits stop until there is more. So commits cannot use
 * up the space that the cleaner and newly dirty pages need. When no segment is at least an eighth dead, no commit
 * waits, and continued writing finds the store full.
 *
 * <p>Thread-safe: one background thread calls {@link #step()}, any thread {@link #compact}.
 */
public final class Cleaner {

    private static final int FREE_TARGET_SHARE = 50;
    private static final int FREE_TARGET_MIN = 8;
    private static final int DEAD_SHARE = 4;
    private static final int STREAMS_MAX = 6;

    /** A store has a stream for each so many segments of the target: each stream may take one at any time. */
    private static final int TARGET_PER_STREAM = 10;

    /** Stores smaller than this grow rather than being cleaned. */
    private static final int SEGMENTS_MIN = 32;

    /** Commits wait while less than this share of the target is left: pages that become dirty reserve much more than they need. */
    private static final int WAIT_SHARE = 2;

    /** They wait for a cleaner that gains this share of a segment, not for less. */
    private static final int WORTH_SHARE = 8;

    private static final int STEP_BYTES = 1 << 20;
    private static final int CHECKPOINT_SHARE = 16;

    private static final long DONE = -1;
    private static final long STOPPED = -2;

    private final Journal journal;
    private final SegmentReclaimer reclaimer;
    private final SegmentMover mover;
    private final VictimPolicy policy = new VictimPolicy();
    private double nanosPerByteGained;

    public Cleaner(Journal journal, SegmentReclaimer reclaimer) {
        this.journal = journal;
        this.reclaimer = reclaimer;
        this.mover = journal.mover();
    }

    /** How the space stands, as far as cleaning goes by it; in segments. */
    private record Space(SegmentStatistics segments, SegmentCensus census, long spareBytes) {
        int free() {
            return (int) (spareBytes / segments.segmentSizeBytes());
        }

        /** Segments that the next checkpoint frees. */
        int pending() {
            return segments.reclaimable() + census.waiting();
        }

        int target() {
            return Cleaner.target(segments);
        }

        long deadBytes() {
            long dead = 0;
            for (int live : census.liveBytes()) {
                dead += segments.segmentSizeBytes() - live;
            }
            return dead;
        }

        long usedBytes() {
            return (long) census.segments().length * segments.segmentSizeBytes();
        }

        /** Whether cleaning, or the next checkpoint, gains much: in a store that is full of live blocks it gains hardly anything. */
        boolean isWorthWaiting() {
            boolean isWorth = pending() > 0;
            for (int live : census.liveBytes()) {
                isWorth |= live <= segments.segmentSizeBytes() - segments.segmentSizeBytes() / WORTH_SHARE;
            }
            return isWorth;
        }

        boolean isShort() {
            return free() + pending() < target();
        }

        boolean isMostlyLive() {
            return deadBytes() <= usedBytes() / DEAD_SHARE;
        }
    }

    private static int target(SegmentStatistics segments) {
        return Math.max(FREE_TARGET_MIN, (segments.count() + segments.growable()) / FREE_TARGET_SHARE);
    }

    private Space space() {
        final Space space = new Space(journal.segmentStatistics(), mover.census(), journal.pacer().spareBytes());
        policy.observe(space.census);
        return space;
    }

    /**
     * What a background thread calls again and again: a piece of cleaning, or a checkpoint for it.
     *
     * @return nanoseconds to rest until the next call; negative: there is nothing to do for now
     */
    public synchronized long step() {
        final Space space = space();
        setPace(space);
        if (isCheckpointDue(space)) {
            reclaimer.journalCheckpoint();
            return 0;
        }
        if (!space.isShort() && (space.isMostlyLive() || space.census.segments().length < SEGMENTS_MIN)) {
            return -1;
        }
        final long begin = System.nanoTime();
        final long gained = clean(space, stepBytes(space));
        final long nanos = System.nanoTime() - begin;
        journal.latencies().record(Latencies.Kind.CLEANING, begin);
        if (gained <= 0) {
            return blocked(space);
        }
        final double now = (double) nanos / gained;
        nanosPerByteGained = nanosPerByteGained == 0 ? now : nanosPerByteGained * 0.9 + now * 0.1;
        return space.free() + space.pending() < space.target() * 3 / 4 ? 0 : nanos;
    }

    /** What is moved to is taken from what is free. */
    private static long stepBytes(Space space) {
        return Math.min(STEP_BYTES, (long) space.target() * space.segments.segmentSizeBytes() / 16);
    }

    private boolean isCheckpointDue(Space space) {
        final int target = space.target();
        return space.free() <= target / 2 && space.pending() >= target / 4
                || space.free() <= target / 4 && space.pending() > 0
                || space.pending() > Math.max(2 * FREE_TARGET_MIN, space.segments.full() / CHECKPOINT_SHARE);
    }

    /** No room to move to, or nothing that is worth it. */
    private long blocked(Space space) {
        if (space.pending() > 0 && space.isShort()) {
            reclaimer.journalCheckpoint();
            return 0;
        }
        journal.pacer().pace(0, 0, 0);
        return -1;
    }

    private void setPace(Space space) {
        if (!space.isWorthWaiting()) {
            journal.pacer().pace(0, 0, 0);
            return;
        }
        final double target = space.target();
        final double lack = (target * 3 / 4 - space.free()) / (target / 4);
        final long targetBytes = space.target() * (long) space.segments.segmentSizeBytes();
        journal.pacer().pace(
                targetBytes, targetBytes / WAIT_SHARE, lack <= 0 ? 0 : 2 * Math.min(lack, 2) * nanosPerByteGained);
    }

    /** Cleans segments until so many bytes were moved; returns how many it gained, or less than 1 when it cannot gain any. */
    private long clean(Space space, long bytes) {
        final SegmentCensus census = space.census;
        final int segmentSize = space.segments.segmentSizeBytes();
        final boolean[] taken = new boolean[census.segments().length];
        final int streams = Math.clamp(space.target() / TARGET_PER_STREAM, 1, STREAMS_MAX);
        final int[] streamOfClass =
                VictimPolicy.streams(space.segments.liveBytes(), space.free() < space.target() / 4 ? 1 : streams);
        long gained = 0;
        long moved = 0;
        try {
            while (moved < bytes) {
                final int best = policy.best(census, segmentSize, taken);
                if (best < 0 || census.liveBytes()[best] > segmentSize - segmentSize / 64) {
                    break;
                }
                taken[best] = true;
                if (mover.collect(census.segments()[best], streamOfClass)) {
                    gained += segmentSize - census.liveBytes()[best];
                }
                moved += census.liveBytes()[best];
            }
            mover.publish();
        } catch (StorageException e) {
            if (e.code() != ErrorCode.STORE_FULL) {
                throw e;
            }
            publishWhatFits();
            return 0;
        }
        return gained;
    }

    private void publishWhatFits() {
        try {
            mover.publish();
        } catch (StorageException e) {
            if (e.code() != ErrorCode.STORE_FULL) {
                throw e;
            }
        }
    }

    /**
     * Cleans until no more than that share of the segments in use is dead, or no segment is left that holds more than that, and
     * gives back what it freed.
     *
     * @return false when it was told to stop before that
     */
    public boolean compact(double targetDeadShare, CleanerProgress progress) {
        long before = Long.MAX_VALUE;
        long dead = compactStep(targetDeadShare, progress);
        while (dead >= 0 && dead < before) {
            before = dead;
            dead = compactStep(targetDeadShare, progress);
        }
        if (dead == STOPPED) {
            return false;
        }
        reclaimer.journalCheckpoint();
        return true;
    }

    /** Cleans the emptiest segments; returns the dead bytes there were before, DONE when nothing is left to do, or STOPPED. */
    private synchronized long compactStep(double targetDeadShare, CleanerProgress progress) {
        final Space space = space();
        final long dead = space.deadBytes();
        final long target = (long) (space.usedBytes() * targetDeadShare);
        if (!progress.progress(dead, target)) {
            return STOPPED;
        }
        if (dead <= target) {
            return DONE;
        }
        if (space.pending() > Math.max(FREE_TARGET_MIN, space.segments.full() / CHECKPOINT_SHARE)) {
            reclaimer.journalCheckpoint();
        }
        return clean(space, STEP_BYTES) > 0 ? dead : DONE;
    }

    public CleanerStatistics statistics() {
        return new CleanerStatistics(
                mover.statistics(), target(journal.segmentStatistics()), journal.pacer().waitedNanos());
    }
}
