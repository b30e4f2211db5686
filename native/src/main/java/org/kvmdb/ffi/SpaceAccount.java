package org.kvmdb.ffi;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * How much may still become dirty: the Java face of {@code struct kvmdb_space_account}, which explains it. It lies in
 * memory shared with the fault handler. The journal takes segments out of what is available and gives freed ones back;
 * the first write to a page reserves in the handler; a commit releases.
 *
 * <pre>
 *   0           8          16        24      32          40   44     48
 *  +-----------+----------+---------+-------+-----------+----+------+
 *  | available | reserved | granted | limit | grow step | fd | lock |      bytes, but for fd and lock
 *  +-----------+----------+---------+-------+-----------+----+------+
 *   48        56               64           72           80        88
 *  +---------+----------------+------------+------------+---------+
 *  | growths | hole positions | hole bytes | hole count | refusal |      positions: an address; refusal: an errno
 *  +---------+----------------+------------+------------+---------+
 * </pre>
 *
 * <p>Holes, ranges of the file whose space was given back, are offered as a stack: growing fills the last one before it
 * makes the file longer.
 */
public final class SpaceAccount implements AutoCloseable {

    static final int AVAILABLE_OFFSET = 0;
    static final int RESERVED_OFFSET = AVAILABLE_OFFSET + Long.BYTES;
    static final int GRANTED_OFFSET = RESERVED_OFFSET + Long.BYTES;
    static final int LIMIT_OFFSET = GRANTED_OFFSET + Long.BYTES;
    static final int GROW_STEP_OFFSET = LIMIT_OFFSET + Long.BYTES;
    static final int FD_OFFSET = GROW_STEP_OFFSET + Long.BYTES;
    static final int LOCK_OFFSET = FD_OFFSET + Integer.BYTES;
    static final int GROWTHS_OFFSET = LOCK_OFFSET + Integer.BYTES;
    static final int HOLE_POSITIONS_OFFSET = GROWTHS_OFFSET + Long.BYTES;
    static final int HOLE_BYTES_OFFSET = HOLE_POSITIONS_OFFSET + Long.BYTES;
    static final int HOLE_COUNT_OFFSET = HOLE_BYTES_OFFSET + Long.BYTES;
    static final int REFUSAL_OFFSET = HOLE_COUNT_OFFSET + Long.BYTES;
    static final int LENGTH = REFUSAL_OFFSET + Long.BYTES;

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    private static final long MEMORY_UNIT_BYTES = 4096;

    /** The fields in the first unit, the positions of holes behind it. */
    private final NativeMemory memory;

    private final MemorySegment fields;

    /**
     * @param grantedBytes how far the file is already allocated
     * @param limitBytes how far it may grow
     * @param growStepBytes a whole number of segments
     * @param segmentSizeBytes length of every hole
     * @param fd the file, or -1 for an account that cannot grow
     */
    public SpaceAccount(long grantedBytes, long limitBytes, long growStepBytes, long segmentSizeBytes, int fd) {
        final long positionsLength = (limitBytes / segmentSizeBytes + 1) * Long.BYTES;
        memory = NativeMemory.reserve(MEMORY_UNIT_BYTES
                + (positionsLength + MEMORY_UNIT_BYTES - 1) / MEMORY_UNIT_BYTES * MEMORY_UNIT_BYTES);
        fields = memory.segment();
        fields.set(ValueLayout.JAVA_LONG, HOLE_POSITIONS_OFFSET, memory.address() + MEMORY_UNIT_BYTES);
        fields.set(ValueLayout.JAVA_LONG, HOLE_BYTES_OFFSET, segmentSizeBytes);
        fields.set(ValueLayout.JAVA_LONG, GRANTED_OFFSET, grantedBytes);
        fields.set(ValueLayout.JAVA_LONG, LIMIT_OFFSET, limitBytes);
        fields.set(ValueLayout.JAVA_LONG, GROW_STEP_OFFSET, growStepBytes);
        fields.set(ValueLayout.JAVA_INT, FD_OFFSET, fd);
    }

    public long address() {
        return fields.address();
    }

    public long availableBytes() {
        return (long) LONG.getVolatile(fields, (long) AVAILABLE_OFFSET);
    }

    /** Adds to (or with a negative number takes from) what is available. */
    public void addAvailable(long bytes) {
        LONG.getAndAdd(fields, (long) AVAILABLE_OFFSET, bytes);
    }

    public long reservedBytes() {
        return (long) LONG.getVolatile(fields, (long) RESERVED_OFFSET);
    }

    public long grantedBytes() {
        return (long) LONG.getVolatile(fields, (long) GRANTED_OFFSET);
    }

    public long limitBytes() {
        return (long) LONG.getVolatile(fields, (long) LIMIT_OFFSET);
    }

    /** What the file grows by at a time. */
    public long growStepBytes() {
        return fields.get(ValueLayout.JAVA_LONG, GROW_STEP_OFFSET);
    }

    /** Reserves bytes, growing the file when needed; false, with nothing changed, when there is no room. */
    public boolean tryReserve(long bytes) {
        return ShimLibrary.shim().kvmdb_space_reserve(address(), bytes) == 0;
    }

    public void release(long bytes) {
        ShimLibrary.shim().kvmdb_space_release(address(), bytes);
    }

    /**
     * Lets growing fill a hole, which is nobody's until then. One thread at a time offers.
     *
     * @return how many holes lie beneath it on the stack
     */
    public long offerHole(long position) {
        return ShimLibrary.shim().kvmdb_space_offer_hole(address(), position);
    }

    /** Holes that were offered and not yet filled. */
    public long holeCount() {
        return (long) LONG.getVolatile(fields, (long) HOLE_COUNT_OFFSET);
    }

    /** Fills the last hole, or grows the file by a step or by what the limit still allows; false when it cannot. */
    public boolean tryGrow() {
        return ShimLibrary.shim().kvmdb_space_grow(address()) == 0;
    }

    /** Why it did not grow when that was tried last; null when it did, or for want of room alone. */
    public String refusal() {
        final int errno = (int) (long) LONG.getVolatile(fields, (long) REFUSAL_OFFSET);
        return errno == 0 || Errno.isWantOfRoom(errno) ? null : Errno.explain(errno);
    }

    @Override
    public void close() {
        memory.close();
    }
}
