package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import org.agrona.collections.IntArrayList;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.MapLeaf;
import org.kvmdb.ffi.NativeMemory;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.SegmentTableDescriptor;
import org.kvmdb.ffi.SpaceAccount;
import org.kvmdb.ffi.StorageException;

/**
 * All segments: where they lie, their state, what is alive in them, and which are free. Changed under the append lock
 * alone; the part that the fault handler reads lies off heap as {@link SegmentTableDescriptor} says.
 *
 * <p>Free segments are of three kinds, taken in this order: those that were written before (a commit into them is
 * cheapest), those granted by the file system but never written, and holes, whose space was returned and must be granted
 * again first. The space account counts the first two, and growing it fills holes before the device grows.
 *
 * <p>What the medium says of a free segment's space may be older than the space is: between two checkpoints segments are
 * given back and filled again. So a store that is opened has the space of those that it keeps granted anew, and gives the
 * rest back.
 */
final class SegmentTable implements AutoCloseable {

    static final int FRESH = 0;
    static final int WRITTEN = 1;
    static final int HOLE = 2;

    private static final VarHandle ADDRESS = ValueLayout.JAVA_LONG.varHandle();
    private static final long GRACE_WAIT_NANOS_MAX = 2_000_000_000L;

    private final Device device;
    private final int segmentSizeBytes;
    private final SpaceAccount space;
    private final int countMax;
    private final NativeMemory memory;
    private final MemorySegment table;
    private final IntArrayList freeWritten = new IntArrayList();
    private final IntArrayList freeFresh = new IntArrayList();
    /** Holes in the order in which they were offered to the space account; growing fills them from the end. */
    private final IntArrayList holes = new IntArrayList();
    /** Free segments found at opening beyond those to be kept: counted nowhere, to be given back or filled. */
    private final IntArrayList surplus = new IntArrayList();
    private IntArrayList freed = new IntArrayList();
    private IntArrayList waiting = new IntArrayList();
    private long waitingEpoch;
    private ReaderGrace grace = ReaderGrace.NONE;
    private int[] live = new int[64];
    private int[] stolen = new int[64];
    private byte[] medium = new byte[64];
    private final SegmentAges ages = new SegmentAges();
    private final Remaps remaps = new Remaps();
    private boolean growthRefused;
    private int count;
    private long liveBytes;
    private long stolenBytes;

    SegmentTable(Device device, int segmentSizeBytes, SpaceAccount space) {
        this.device = device;
        this.segmentSizeBytes = segmentSizeBytes;
        this.space = space;
        countMax = (int) Math.min(
                1L << Ppn.SEGMENT_BITS,
                (space.limitBytes() - SuperblockDescriptor.SEGMENTS_OFFSET) / segmentSizeBytes);
        memory = NativeMemory.reserve(
                Fields.alignUp(SegmentTableDescriptor.entryOffset(countMax + 1), 4096));
        table = memory.segment();
    }

    void grace(ReaderGrace readerGrace) {
        grace = readerGrace;
    }

    long address() {
        return memory.address();
    }

    /** Entries that the table has room for. */
    long capacity() {
        return countMax;
    }

    /** Whether a checkpoint would free a segment. */
    boolean hasReclaimable() {
        for (int i = 0; i < count; i++) {
            if (isReclaimable(i)) {
                return true;
            }
        }
        return false;
    }

    private boolean isReclaimable(int segment) {
        return live[segment] == 0 && stolen[segment] == 0 && state(segment) == SegmentState.FULL;
    }

    int segmentSizeBytes() {
        return segmentSizeBytes;
    }

    int count() {
        return count;
    }

    long liveBytes() {
        return liveBytes;
    }

    long stolenBytes() {
        return stolenBytes;
    }

    /** Segments that can be taken without asking the file system, but for those that readers may still look at. */
    int freeCount() {
        return freeWritten.size() + freeFresh.size() + freed.size() + waiting.size();
    }

    /** Free segments whose space must be granted again before they are taken. */
    int holeCount() {
        adoptGrowth();
        return holes.size() + surplus.size();
    }

    /** Segments that a checkpoint would free. */
    int reclaimableCount() {
        int result = 0;
        for (int i = 0; i < count; i++) {
            if (isReclaimable(i)) {
                result++;
            }
        }
        return result;
    }

    int countOf(SegmentState state) {
        int result = 0;
        for (int i = 0; i < count; i++) {
            if (state(i) == state) {
                result++;
            }
        }
        return result;
    }

    /** @param free segments that can be taken and have their disk space */
    SegmentStatistics statistics(int free, int holes, Counters counters) {
        return new SegmentStatistics(
                segmentSizeBytes, count, free, holes, countOf(SegmentState.RESERVED), countOf(SegmentState.OPEN),
                countOf(SegmentState.FULL), reclaimableCount(), growable(), liveBytes,
                counters.writtenBytes + counters.preparedBytes);
    }

    static long position(int segment, int segmentSizeBytes) {
        return SuperblockDescriptor.SEGMENTS_OFFSET + (long) segment * segmentSizeBytes;
    }

    long position(int segment) {
        return position(segment, segmentSizeBytes);
    }

    SegmentState state(int segment) {
        return SegmentState.of(
                table.get(ValueLayout.JAVA_BYTE,
                        SegmentTableDescriptor.entryOffset(segment) + SegmentTableDescriptor.STATE_OFFSET));
    }

    void state(int segment, SegmentState state) {
        table.set(ValueLayout.JAVA_BYTE,
                SegmentTableDescriptor.entryOffset(segment) + SegmentTableDescriptor.STATE_OFFSET,
                (byte) state.ordinal());
    }

    int generation(int segment) {
        return table.get(ValueLayout.JAVA_INT,
                SegmentTableDescriptor.entryOffset(segment) + SegmentTableDescriptor.GENERATION_OFFSET);
    }

    long salt(int segment) {
        return table.get(ValueLayout.JAVA_LONG,
                SegmentTableDescriptor.entryOffset(segment) + SegmentTableDescriptor.SALT_OFFSET);
    }

    /** Blocks that lie somewhere else than their name says. */
    Remaps remaps() {
        return remaps;
    }

    /** Where the block of that name lies: whoever reads one, or counts its bytes, asks first. */
    long resolve(long name) {
        return remaps.resolve(name);
    }

    /** The block of that name, which a snapshot refers to, lies there from now on. */
    void remap(long name, long target) {
        addLive(target);
        dropLive(resolve(name));
        remaps.put(name, target);
    }

    /** Shows the fault handler what was remapped. */
    void publishRemaps() {
        remaps.publish(
                (segment, address) -> ADDRESS.setRelease(
                        table, SegmentTableDescriptor.entryOffset(segment) + SegmentTableDescriptor.REMAPS_OFFSET, address),
                grace);
    }

    /** How old what lies in the segments is. */
    SegmentAges ages() {
        return ages;
    }

    int medium(int segment) {
        return medium[segment];
    }

    int live(int segment) {
        return live[segment];
    }

    int stolen(int segment) {
        return stolen[segment];
    }

    int[] liveCopy() {
        return Arrays.copyOf(live, count);
    }

    /** Sets what the segment's blocks and batches are sealed with from now on. No reader may look at it. */
    void identity(int segment, int generation, long salt) {
        final long entry = SegmentTableDescriptor.entryOffset(segment);
        table.set(ValueLayout.JAVA_LONG, entry + SegmentTableDescriptor.DEVICE_OFFSET_OFFSET, position(segment));
        table.set(ValueLayout.JAVA_LONG, entry + SegmentTableDescriptor.SALT_OFFSET, salt);
        table.set(ValueLayout.JAVA_INT, entry + SegmentTableDescriptor.GENERATION_OFFSET, generation);
        table.set(ValueLayout.JAVA_SHORT, entry + SegmentTableDescriptor.DEVICE_INDEX_OFFSET, (short) 0);
        table.set(ValueLayout.JAVA_BYTE, entry + SegmentTableDescriptor.COPIES_OFFSET, (byte) 1);
        ages.reset(segment);
    }

    /** Adds a segment as the last one of the table; its free list is filled by {@link #openFreeLists}. */
    void load(int generation, long salt, SegmentState state, int liveLength, int mediumKind, long writeTime) {
        final int segment = addSegment();
        identity(segment, generation, salt);
        state(segment, state);
        live[segment] = liveLength;
        liveBytes += liveLength;
        medium[segment] = (byte) mediumKind;
        ages.load(segment, writeTime);
    }

    /** Adds, after those of the checkpoint, the segments that the device has grown by since. */
    void extend() {
        while (count < grantedSegments() && count < countMax) {
            addSegment();
        }
    }

    private long grantedSegments() {
        return (space.grantedBytes() - SuperblockDescriptor.SEGMENTS_OFFSET) / segmentSizeBytes;
    }

    /**
     * After loading and replay: segments that nothing holds become free. That many are kept with their space, written
     * ones first.
     */
    void openFreeLists(int keep) {
        for (int i = 0; i < count; i++) {
            if (state(i) == SegmentState.RESERVED) {
                state(i, SegmentState.FREE);
            }
        }
        int kept = 0;
        for (int kind = WRITTEN; kind >= FRESH; kind--) {
            for (int i = 0; i < count; i++) {
                if (state(i) == SegmentState.FREE && medium[i] == kind && kept < keep && grant(i)) {
                    (kind == WRITTEN ? freeWritten : freeFresh).addInt(i);
                    kept++;
                } else if (state(i) == SegmentState.FREE && medium[i] == kind) {
                    medium[i] = HOLE;
                }
            }
        }
        for (int i = count - 1; i >= 0; i--) {
            if (state(i) == SegmentState.FREE && medium[i] == HOLE) {
                surplus.addInt(i);
            }
        }
    }

    /** Has the file system grant the segment's space, which the account then counts; false when it will not. */
    private boolean grant(int segment) {
        if (!device.isReadOnly()) {
            try {
                device.allocate(position(segment), segmentSizeBytes);
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

    private int addSegment() {
        if (count == live.length) {
            live = Arrays.copyOf(live, 2 * count);
            stolen = Arrays.copyOf(stolen, 2 * count);
            medium = Arrays.copyOf(medium, 2 * count);
        }
        return count++;
    }

    /** Takes in holes that were filled and segments that the device grew by, which the fault handler may also have caused. */
    private void adoptGrowth() {
        adoptFilled(space.holeCount());
        while (count < grantedSegments() && count < countMax) {
            freeFresh.addInt(addSegment());
        }
    }

    /** Whether at least that many bytes of segments are free, after growing the device if need be. */
    boolean ensureFree(long bytes) {
        adoptGrowth();
        while ((long) freeCount() * segmentSizeBytes < bytes) {
            if (!grow()) {
                return false;
            }
        }
        return true;
    }

    /** Segments that the device may still grow by; none while the file system refuses to. */
    int growable() {
        return growthRefused ? 0 : (int) Math.max(0, countMax - Math.max(count, grantedSegments()));
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
                medium[segment] = FRESH;
                freeFresh.addInt(segment);
                return true;
            }
        }
        if (!space.tryGrow()) {
            return false;
        }
        final int before = freeCount();
        adoptGrowth();
        return freeCount() > before;
    }

    private void adoptFilled(long holesLeft) {
        while (holes.size() > holesLeft) {
            final int segment = holes.removeAt(holes.size() - 1);
            medium[segment] = FRESH;
            freeFresh.addInt(segment);
        }
    }

    /** Takes a free segment out, or returns -1. The caller gives it an identity and a state. */
    int take() {
        if (!ensureFree(segmentSizeBytes)) {
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
    void free(int segment) {
        state(segment, SegmentState.FREE);
        medium[segment] = WRITTEN;
        freed.addInt(segment);
        space.addAvailable(segmentSizeBytes);
    }

    /** Hands freed segments on towards reuse; never waits. */
    void reclaim() {
        if (!waiting.isEmpty() && grace.passed(waitingEpoch)) {
            freeWritten.addAll(waiting);
            waiting.clear();
        }
        if (waiting.isEmpty() && !freed.isEmpty()) {
            final IntArrayList swap = waiting;
            waiting = freed;
            freed = swap;
            waitingEpoch = grace.advance();
            if (grace.passed(waitingEpoch)) {
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
        medium[segment] = HOLE;
        try {
            device.discard(position(segment), segmentSizeBytes);
        } finally {
            adoptFilled(space.offerHole(position(segment)));
            holes.addInt(segment);
        }
    }

    /**
     * For a journal that closes: free segments that were never written give their space back. They hold nothing, and are no
     * better to commit into than holes; whoever opens the store has granted what it needs.
     */
    void discardUnwritten() {
        adoptGrowth();
        for (int i = 0; i < count; i++) {
            final SegmentState state = state(i);
            if (medium[i] == FRESH && (state == SegmentState.FREE || state == SegmentState.RESERVED)) {
                medium[i] = HOLE;
                device.discard(position(i), segmentSizeBytes);
            }
        }
    }

    void markWritten(int segment) {
        medium(segment, WRITTEN);
    }

    void medium(int segment, int kind) {
        medium[segment] = (byte) kind;
    }

    void addLive(long ppn) {
        final int length = Ppn.lengthBytes(ppn);
        final int segment = Ppn.segment(ppn);
        if (live[segment] + length > segmentSizeBytes) {
            throw new StorageException(
                    ErrorCode.CORRUPT_STORE,
                    "corrupt store: segment %d would hold %d live bytes of %d; restore the store from a copy"
                            .formatted(segment, live[segment] + length, segmentSizeBytes));
        }
        live[segment] += length;
        liveBytes += length;
    }

    /** The class of the age of what lies beside that block. */
    int ageClass(long ppn) {
        return ages.ageClass(Ppn.segment(resolve(ppn)));
    }

    /** A block in use lies somewhere else from now on. */
    void moveLive(long ppn, long newPpn) {
        addLive(newPpn);
        dropLive(resolve(ppn));
        remaps.remove(ppn);
    }

    /** The block of that name is dead. */
    void removeLive(long name) {
        final long ppn = resolve(name);
        dropLive(ppn);
        remaps.remove(name);
        ages.died(Ppn.segment(ppn), Ppn.lengthBytes(ppn));
    }

    private void dropLive(long ppn) {
        final int segment = Ppn.segment(ppn);
        final int length = Ppn.lengthBytes(ppn);
        if (live[segment] < length) {
            throw new StorageException(
                    ErrorCode.CORRUPT_STORE,
                    "corrupt store: segment %d holds %d live bytes, yet %d of block %s die; restore the store from a copy"
                            .formatted(segment, live[segment], length, Ppn.toString(ppn)));
        }
        live[segment] -= length;
        liveBytes -= length;
    }

    void addStolen(long ppn) {
        stolen[Ppn.segment(ppn)] += Ppn.lengthBytes(ppn);
        stolenBytes += Ppn.lengthBytes(ppn);
    }

    void removeStolen(long ppn) {
        final int segment = Ppn.segment(ppn);
        if (segment >= count || stolen[segment] < Ppn.lengthBytes(ppn)) {
            throw new StorageException(
                    ErrorCode.INVALID, "not a stolen block: %s; each is referred to or dropped once"
                            .formatted(Ppn.toString(ppn)));
        }
        stolen[segment] -= Ppn.lengthBytes(ppn);
        stolenBytes -= Ppn.lengthBytes(ppn);
    }

    /** Whether a locator could be of a block: within a segment that is in use. Stored locators are checked by this. */
    boolean isPlausible(long ppn) {
        return fits(ppn) && (isInUse(Ppn.segment(ppn)) || remaps.contains(ppn));
    }

    /** Whether the locator lies within some segment of the table. */
    boolean fits(long ppn) {
        final int length = Ppn.lengthBytes(ppn);
        return Ppn.flags(ppn) == 0
                && Ppn.segment(ppn) < count
                && length > 0
                && Ppn.offsetBytes(ppn) >= BatchDescriptor.HEADER_LENGTH
                && Ppn.offsetBytes(ppn) + length <= segmentSizeBytes;
    }

    /** {@link MapLeaf#load}, without a look at what was moved. */
    int loadLeaf(MemorySegment node, MemorySegment block, long ppn, long lpn, long family, long pages) {
        return MapLeaf.load(
                node, block, ppn, lpn, family, pages,
                new MapLeaf.Segments(table, count, segmentSizeBytes, BatchDescriptor.HEADER_LENGTH));
    }

    boolean isInUse(int segment) {
        return state(segment) != SegmentState.FREE && generation(segment) != 0;
    }

    @Override
    public void close() {
        remaps.close();
        memory.close();
    }
}
