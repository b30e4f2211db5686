package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.BitSet;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.MapLeaf;
import org.kvmdb.ffi.NativeMemory;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.SegmentTableDescriptor;
import org.kvmdb.ffi.SpaceAccount;
import org.kvmdb.ffi.StorageException;

/**
 * The places, states and live bytes of all segments; {@link FreeSegments} has the free ones. Changed only under the
 * append lock. The part that the fault handler reads lies off heap, in the layout of {@link SegmentTableDescriptor}.
 */
final class SegmentTable implements AutoCloseable {

    /** Of a segment's space: granted by the file system, but never written; written; given back. */
    static final int FRESH = 0;

    static final int WRITTEN = 1;
    static final int HOLE = 2;

    private static final VarHandle ADDRESS = ValueLayout.JAVA_LONG.varHandle();

    private final int segmentSizeBytes;
    private final SpaceAccount space;
    private final int countMax;
    private final NativeMemory memory;
    private final MemorySegment table;
    private final FreeSegments free;
    private ReaderGrace grace = ReaderGrace.NONE;
    private int[] live = new int[64];
    private int[] stolen = new int[64];
    private byte[] medium = new byte[64];
    private final BitSet newNodes = new BitSet();
    private final SegmentAges ages = new SegmentAges();
    private final Remaps remaps = new Remaps();
    private int count;
    private long liveBytes;
    private long stolenBytes;

    SegmentTable(Device device, int segmentSizeBytes, SpaceAccount space) {
        this.segmentSizeBytes = segmentSizeBytes;
        this.space = space;
        countMax = (int) Math.min(
                1L << Ppn.SEGMENT_BITS,
                (space.limitBytes() - SuperblockDescriptor.SEGMENTS_OFFSET) / segmentSizeBytes);
        memory = NativeMemory.reserve(
                Fields.alignUp(SegmentTableDescriptor.entryOffset(countMax + 1), 4096));
        table = memory.segment();
        free = new FreeSegments(this, device, space);
    }

    FreeSegments free() {
        return free;
    }

    void grace(ReaderGrace readerGrace) {
        grace = readerGrace;
    }

    ReaderGrace grace() {
        return grace;
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
                countOf(SegmentState.FULL), reclaimableCount(), this.free.growable(), liveBytes,
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

    /** Adds a segment as the last one of the table; {@link FreeSegments#open} finds it if it is free. */
    void load(int generation, long salt, SegmentState state, int liveLength, int mediumKind, long writeTime) {
        final int segment = addSegment();
        identity(segment, generation, salt);
        state(segment, state);
        live[segment] = liveLength;
        liveBytes += liveLength;
        medium[segment] = (byte) mediumKind;
        ages.load(segment, writeTime);
    }

    /** A map node lies there that the durable checkpoint does not know: a recovery from that one must not meet a record of it. */
    void addNewNode(long ppn) {
        newNodes.set(Ppn.segment(ppn));
    }

    /** Whether some node of the segment is not known to the durable checkpoint. */
    boolean hasNewNodes(int segment) {
        return newNodes.get(segment);
    }

    /** A checkpoint is durable, and knows all nodes that were stored. */
    void nodesSettled() {
        newNodes.clear();
    }

    /** Adds, after those of the checkpoint, the segments that the device has grown by since. */
    void extend() {
        while (addGranted() >= 0) {}
    }

    /** Adds a segment that the device has grown by, or returns -1 when there is none. */
    int addGranted() {
        return count < grantedSegments() && count < countMax ? addSegment() : -1;
    }

    private long grantedSegments() {
        return (space.grantedBytes() - SuperblockDescriptor.SEGMENTS_OFFSET) / segmentSizeBytes;
    }

    /** Segments that the device may still grow by. */
    int growthLimit() {
        return (int) Math.max(0, countMax - Math.max(count, grantedSegments()));
    }

    private int addSegment() {
        if (count == live.length) {
            live = Arrays.copyOf(live, 2 * count);
            stolen = Arrays.copyOf(stolen, 2 * count);
            medium = Arrays.copyOf(medium, 2 * count);
        }
        return count++;
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
