package org.kvmdb.ffi;

/**
 * The segment table in memory, indexed by logical segment: where a segment lies and what its blocks are sealed with.
 * Written by the journal, read by the fault handler. A zero generation means that the segment was never used.
 *
 * <pre>
 *   0                8      16           20             22       23      24                       32
 *  +----------------+------+------------+--------------+--------+-------+------------------------+
 *  | device offset  | salt | generation | device index | copies | state | address of remaps      |
 *  +----------------+------+------------+--------------+--------+-------+------------------------+
 * </pre>
 *
 * <p>The remaps ({@link RemapTableDescriptor}; 0: none) outlast the segment's generation.
 */
public final class SegmentTableDescriptor {

    public static final int DEVICE_OFFSET_OFFSET = 0;
    public static final int SALT_OFFSET = DEVICE_OFFSET_OFFSET + Long.BYTES;
    public static final int GENERATION_OFFSET = SALT_OFFSET + Long.BYTES;
    public static final int DEVICE_INDEX_OFFSET = GENERATION_OFFSET + Integer.BYTES;
    public static final int COPIES_OFFSET = DEVICE_INDEX_OFFSET + Short.BYTES;
    public static final int STATE_OFFSET = COPIES_OFFSET + Byte.BYTES;
    public static final int REMAPS_OFFSET = STATE_OFFSET + Byte.BYTES;
    public static final int ENTRY_LENGTH = REMAPS_OFFSET + Long.BYTES;

    private SegmentTableDescriptor() {}

    public static long entryOffset(int segment) {
        return (long) segment * ENTRY_LENGTH;
    }
}
