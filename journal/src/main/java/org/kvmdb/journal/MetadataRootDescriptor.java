package org.kvmdb.journal;

/**
 * The block that the superblock refers to: where the blocks of the metadata stream lie. Each reference has the seed of
 * its block beside it, for the segment table is itself in the stream. Little endian.
 *
 * <pre>
 *   0       8               16            20         24
 *  +-------+---------------+-------------+----------+-------~--+-------~--+
 *  | magic | stream length | block count | reserved | entries  | zeros    |
 *  +-------+---------------+-------------+----------+-------~--+-------~--+
 *
 *  entry:
 *   0     8      16           20       24
 *  +-----+------+------------+--------+
 *  | PPN | salt | generation | CRC32C |
 *  +-----+------+------------+--------+
 * </pre>
 */
final class MetadataRootDescriptor {

    static final int MAGIC_OFFSET = 0;
    static final int STREAM_LENGTH_OFFSET = MAGIC_OFFSET + Long.BYTES;
    static final int BLOCK_COUNT_OFFSET = STREAM_LENGTH_OFFSET + Long.BYTES;
    static final int RESERVED_OFFSET = BLOCK_COUNT_OFFSET + Integer.BYTES;
    static final int ENTRIES_OFFSET = RESERVED_OFFSET + Integer.BYTES;

    static final int ENTRY_PPN_OFFSET = 0;
    static final int ENTRY_SALT_OFFSET = ENTRY_PPN_OFFSET + Long.BYTES;
    static final int ENTRY_GENERATION_OFFSET = ENTRY_SALT_OFFSET + Long.BYTES;
    static final int ENTRY_CRC_OFFSET = ENTRY_GENERATION_OFFSET + Integer.BYTES;
    static final int ENTRY_LENGTH = ENTRY_CRC_OFFSET + Integer.BYTES;

    /** "KVMMETAR" as the bytes lie. */
    static final long MAGIC = 0x524154454D4D564BL;

    /** LPN that the root block is sealed with; the blocks of the stream are sealed with their index. */
    static final long ROOT_LPN = -1L;

    private MetadataRootDescriptor() {}

    /** Page shift of metadata blocks: 64 KiB, less where segments are small. */
    static int pageShift(int segmentSizeBytes) {
        return Math.min(16, 29 - Integer.numberOfLeadingZeros(segmentSizeBytes));
    }

    /** Bytes of the root block that say something when it lists that many pieces; zeros behind. */
    static int length(int pieces) {
        return ENTRIES_OFFSET + pieces * ENTRY_LENGTH;
    }

    static int entriesMax(int pageShift) {
        return ((1 << pageShift) - ENTRIES_OFFSET) / ENTRY_LENGTH;
    }

    /** The longest stream whose pieces the root block can list. */
    static long streamBytesMax(int segmentSizeBytes) {
        final int pageShift = pageShift(segmentSizeBytes);
        return (long) entriesMax(pageShift) << pageShift;
    }

    /** The family that metadata blocks of a checkpoint are sealed with: no volume's. */
    static long family(long superblockGeneration) {
        return NodeIdentity.family(0xFF, (int) superblockGeneration);
    }
}
