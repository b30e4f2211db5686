package org.kvmdb.journal;

import java.util.concurrent.locks.LockSupport;
import org.agrona.collections.IntArrayList;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.SpaceAccount;
import org.kvmdb.ffi.StorageException;

/**
 * The free segments of a table. Takes and returns them, and acquires and gives back their disk space. Changed only
 * under the append lock.
 *
 * <p>There are three kinds, taken in this order: segments written before (commits into them are cheapest), segments
 * granted by the file system but never written, and holes, whose space was given back and must first be granted again.
 * The space account counts the first two; growing it fills holes before the device grows.
 *
 * <p>The medium's information on the space of a free segment may be out of date, because between two checkpoints
 * segments are given back and filled again. So opening a store has the space of the segments that it keeps granted
 * again, and gives back the rest.
 */
final class FreeSegments {

    private static final long GRACE_WAIT_NANOS_MAX = 2_000_000_000L;

    private final SegmentTable table;
    private final Device device;
    private final SpaceAccount space;
    private final int segmentSizeBytes;
    private final IntArrayList freeWritten = new IntArrayList();
    private final IntArrayList freeFresh = new IntArrayList();
    /** Holes in the order in which they were offered to the space account; growing fills them from the end. */
    private final IntArrayList holes = new IntArrayList();
    /** Free segments found at opening beyond those to be kept: counted nowhere, to be given back or filled. */
    private final IntArrayList surplus = new IntArrayList();
    /** Those that readers may still look at: until {@link #waitingEpoch} has passed, and those that come behind them. */
    private IntArrayList waiting = new IntArrayList();

    private long waitingEpoch;
    private IntArrayList freed = new IntArrayList();
    private boolean growthRefused;

    FreeSegments(SegmentTable table, Device device, SpaceAccount space) {
        this.table = table;
        this.device = device;
        this.space = space;
        segmentSizeBytes = table.segmentSizeBytes();
    }

    /** Segments that can be taken without asking the file system, but for those that readers may still look at. */
    int count() {
        return freeWritten.size() + freeFresh.size() + freed.size() + waiting.size();
    }

    /** Free segments whose space must be granted again before they are taken. */
    int holeCount() {
        adoptGrowth();
        return holes.size() + surplus.size();
    }

    /**
     * After loading and replay: segments that nothing holds become free. That many are kept with their space, written
     * ones first.
     */
    void open(int keep) {
        for (int i = 0; i < table.count(); i++) {
            if (table.state(i) == SegmentState.RESERVED) {
                table.state(i, SegmentState.FREE);
            }
        }
        int kept = 0;
        for (int kind = SegmentTable.WRITTEN; kind >= SegmentTable.FRESH; kind--) {
            for (int i = 0; i < table.count(); i++) {
                if (table.state(i) == SegmentState.FREE && table.medium(i) == kind && kept < keep && grant(i)) {
                    (kind == SegmentTable.WRITTEN ? freeWritten : freeFresh).addInt(i);
                    kept++;
                } else if (table.state(i) == SegmentState.FREE && table.medium(i) == kind) {
                    table.medium(i, SegmentTable.HOLE);
                }
            }
        }
        for (int i = table.count() - 1; i >= 0; i--) {
            if (table.state(i) == SegmentState.FREE && table.medium(i) == SegmentTable.HOLE) {
                surplus.addInt(i);
            }
        }
    }

    /** Has the file system grant the segment's space, which the account then counts; false when it will not. */
    private boolean grant(int segment) {
        if (!device.isReadOnly()) {
            try {
                device.allocate(table.position(segment), segmentSizeBytes);
            } catch (StorageException e) {
                if (e.code() == ErrorCode.STORE_FULL) {
                    return false;
                }
                throw e;
            }
        }
        space.addAvailable(segmentSizeBytes);
        return true;
    }

    /** Takes in holes that were filled and segments that the device grew by, which the fault handler may also have caused. */
    private void adoptGrowth() {
        adoptFilled(space.holeCount());
        for (int added = table.addGranted(); added >= 0; added = table.addGranted()) {
            freeFresh.addInt(added);
        }
    }

    /** Whether at least that many bytes of segments are free, after growing the device if need be. */
    boolean ensure(long bytes) {
        adoptGrowth();
        while ((long) count() * segmentSizeBytes < bytes) {
            if (!grow()) {
                return false;
            }
        }
        return true;
    }

    /** Segments that the device may still grow by; none while the file system refuses to. */
    int growable() {
        return growthRefused ? 0 : table.growthLimit();
    }

    /** Has one segment more granted, or a few: a hole while there is one. */
    boolean grow() {
        growthRefused = !tryGrow();
        return !growthRefused;
    }

    private boolean tryGrow() {
        if (!surplus.isEmpty()) {
            final int segment = surplus.getInt(surplus.size() - 1);
            if (grant(segment)) {
                surplus.removeAt(surplus.size() - 1);
                table.medium(segment, SegmentTable.FRESH);
                freeFresh.addInt(segment);
                return true;
            }
        }
        if (!space.tryGrow()) {
            return false;
        }
        final int before = count();
        adoptGrowth();
        return count() > before;
    }

    /** Whether there is room up to the store's largest size, so that it is the file system that has none. */
    boolean isBelowLimit() {
        return space.grantedBytes() < space.limitBytes() || holes.size() + surplus.size() > 0;
    }

    /** Why there is none up to there, as the end of a sentence. */
    String refusal() {
        final String wrong = space.refusal();
        return wrong == null ? "its file system has no room for more: make some" : "its file cannot grow: " + wrong;
    }

    private void adoptFilled(long holesLeft) {
        while (holes.size() > holesLeft) {
            final int segment = holes.removeAt(holes.size() - 1);
            table.medium(segment, SegmentTable.FRESH);
            freeFresh.addInt(segment);
        }
    }

    /** Takes a free segment out, or returns -1. The caller gives it an identity and a state. */
    int take() {
        if (!ensure(segmentSizeBytes)) {
            return -1;
        }
        awaitReaders();
        final IntArrayList list = freeWritten.isEmpty() ? freeFresh : freeWritten;
        if (list.isEmpty()) {
            return -1;
        }
        // The lowest number first: what is written stays together and the end of the file free.
        int at = 0;
        for (int i = 1; i < list.size(); i++) {
            at = list.getInt(i) < list.getInt(at) ? i : at;
        }
        final int segment = list.getInt(at);
        list.fastUnorderedRemove(at);
        space.addAvailable(-segmentSizeBytes);
        return segment;
    }

    private void awaitReaders() {
        reclaim();
        final long deadline = System.nanoTime() + GRACE_WAIT_NANOS_MAX;
        while (freeWritten.isEmpty() && freeFresh.isEmpty() && System.nanoTime() < deadline) {
            LockSupport.parkNanos(20_000);
            reclaim();
        }
    }

    /** A segment that no durable root reaches any more becomes free. */
    void add(int segment) {
        table.state(segment, SegmentState.FREE);
        table.medium(segment, SegmentTable.WRITTEN);
        freed.addInt(segment);
        space.addAvailable(segmentSizeBytes);
    }

    /** Hands freed segments on towards reuse; never waits. */
    void reclaim() {
        if (!waiting.isEmpty() && table.grace().passed(waitingEpoch)) {
            freeWritten.addAll(waiting);
            waiting.clear();
        }
        if (waiting.isEmpty() && !freed.isEmpty()) {
            final IntArrayList swap = waiting;
            waiting = freed;
            freed = swap;
            waitingEpoch = table.grace().advance();
            if (table.grace().passed(waitingEpoch)) {
                freeWritten.addAll(waiting);
                waiting.clear();
            }
        }
    }

    /**
     * Returns the disk space of free segments beyond those that are to be kept, at most so many of them; never-written
     * ones first, then those at the device's end.
     *
     * @return how many gave their space back
     */
    int punch(int keep, int countAtMost) {
        reclaim();
        adoptGrowth();
        int punched = 0;
        for (; punched < countAtMost && !surplus.isEmpty(); punched++) {
            punchSegment(surplus.removeAt(surplus.size() - 1));
        }
        for (; punched < countAtMost && freeWritten.size() + freeFresh.size() > keep && mayShrink(); punched++) {
            // Out of the account first: from here on the file system may give the space to others.
            space.addAvailable(-segmentSizeBytes);
            punchSegment(removeHighest(freeFresh.isEmpty() ? freeWritten : freeFresh));
        }
        return punched;
    }

    /** Whether a segment can be spared while faults go on reserving: what they were promised stays covered. */
    private boolean mayShrink() {
        return space.availableBytes() - space.reservedBytes() >= 2L * segmentSizeBytes;
    }

    private static int removeHighest(IntArrayList list) {
        int at = 0;
        for (int i = 1; i < list.size(); i++) {
            at = list.getInt(i) > list.getInt(at) ? i : at;
        }
        final int segment = list.getInt(at);
        list.fastUnorderedRemove(at);
        return segment;
    }

    /** The segment is in no list; whatever happens, growing can fill it again afterwards. */
    private void punchSegment(int segment) {
        table.medium(segment, SegmentTable.HOLE);
        try {
            device.discard(table.position(segment), segmentSizeBytes);
        } finally {
            adoptFilled(space.offerHole(table.position(segment)));
            holes.addInt(segment);
        }
    }

    /**
     * For a journal that closes: free segments that were never written give their space back. They hold nothing, and are no
     * better to commit into than holes; whoever opens the store has granted what it needs.
     */
    void discardUnwritten() {
        adoptGrowth();
        for (int i = 0; i < table.count(); i++) {
            final SegmentState state = table.state(i);
            if (table.medium(i) == SegmentTable.FRESH && (state == SegmentState.FREE || state == SegmentState.RESERVED)) {
                table.medium(i, SegmentTable.HOLE);
                device.discard(table.position(i), segmentSizeBytes);
            }
        }
    }
}
