package org.kvmdb.journal;

/**
 * A superblock copy: one of {@value #SLOT_COUNT} slots of {@value #LENGTH} bytes, {@value #SLOT_STRIDE_BYTES} bytes apart
 * from the start of the device. Generation G lies in the slots G % 2 and G % 2 + 2. Little endian; zeros to the CRC32C,
 * which covers all before it.
 *
 * <pre>
 *   0       8         12     14             16             18       20              24
 *  +-------+---------+------+--------------+--------------+--------+---------------+
 *  | magic | version | slot | device index | device count | copies | failure group |
 *  +-------+---------+------+--------------+--------------+--------+---------------+
 *   24           40            56       64                      72                   80
 *  +------------+-------------+--------+-----------------------+--------------------+
 *  | store uuid | device uuid | secret | incompatible features | read-only features |
 *  +------------+-------------+--------+-----------------------+--------------------+
 *   80           88      96              100             104                   112
 *  +------------+-------+---------------+---------------+---------------------+
 *  | generation | epoch | segment bytes | segment count | checkpoint sequence |
 *  +------------+-------+---------------+---------------+---------------------+
 *   112        120         128               132        136
 *  +----------+-----------+-----------------+----------+
 *  | root PPN | root salt | root generation | root CRC |
 *  +----------+-----------+-----------------+----------+
 *   136           140              144        152            160          168            172
 *  +-------------+----------------+----------+--------------+------------+--------------+-------~--+--------+
 *  | log segment | log generation | log salt | log sequence | log digest | log position | zeros    | CRC32C |
 *  +-------------+----------------+----------+--------------+------------+--------------+-------~--+--------+
 * </pre>
 *
 * The exact offsets are the constants below; {@code docs/format.md} has the table.
 */
final class SuperblockDescriptor {

    static final int MAGIC_OFFSET = 0;
    static final int FORMAT_VERSION_OFFSET = MAGIC_OFFSET + Long.BYTES;
    static final int SLOT_OFFSET = FORMAT_VERSION_OFFSET + Integer.BYTES;
    static final int DEVICE_INDEX_OFFSET = SLOT_OFFSET + Short.BYTES;
    static final int DEVICE_COUNT_OFFSET = DEVICE_INDEX_OFFSET + Short.BYTES;
    static final int COPIES_OFFSET = DEVICE_COUNT_OFFSET + Short.BYTES;
    static final int FAILURE_GROUP_OFFSET = COPIES_OFFSET + Short.BYTES;
    static final int STORE_UUID_OFFSET = FAILURE_GROUP_OFFSET + Integer.BYTES;
    static final int DEVICE_UUID_OFFSET = STORE_UUID_OFFSET + 2 * Long.BYTES;
    static final int SECRET_OFFSET = DEVICE_UUID_OFFSET + 2 * Long.BYTES;
    static final int INCOMPATIBLE_FEATURES_OFFSET = SECRET_OFFSET + Long.BYTES;
    static final int READ_ONLY_FEATURES_OFFSET = INCOMPATIBLE_FEATURES_OFFSET + Long.BYTES;
    static final int GENERATION_OFFSET = READ_ONLY_FEATURES_OFFSET + Long.BYTES;
    static final int EPOCH_OFFSET = GENERATION_OFFSET + Long.BYTES;
    static final int SEGMENT_SIZE_OFFSET = EPOCH_OFFSET + Long.BYTES;
    static final int SEGMENT_COUNT_OFFSET = SEGMENT_SIZE_OFFSET + Integer.BYTES;
    static final int CHECKPOINT_SEQUENCE_OFFSET = SEGMENT_COUNT_OFFSET + Integer.BYTES;
    static final int ROOT_PPN_OFFSET = CHECKPOINT_SEQUENCE_OFFSET + Long.BYTES;
    static final int ROOT_SALT_OFFSET = ROOT_PPN_OFFSET + Long.BYTES;
    static final int ROOT_GENERATION_OFFSET = ROOT_SALT_OFFSET + Long.BYTES;
    static final int ROOT_CRC_OFFSET = ROOT_GENERATION_OFFSET + Integer.BYTES;
    static final int LOG_SEGMENT_OFFSET = ROOT_CRC_OFFSET + Integer.BYTES;
    static final int LOG_GENERATION_OFFSET = LOG_SEGMENT_OFFSET + Integer.BYTES;
    static final int LOG_SALT_OFFSET = LOG_GENERATION_OFFSET + Integer.BYTES;
    static final int LOG_SEQUENCE_OFFSET = LOG_SALT_OFFSET + Long.BYTES;
    static final int LOG_DIGEST_OFFSET = LOG_SEQUENCE_OFFSET + Long.BYTES;
    static final int LOG_POSITION_OFFSET = LOG_DIGEST_OFFSET + Long.BYTES;
    static final int RESERVED_OFFSET = LOG_POSITION_OFFSET + Integer.BYTES;
    static final int LENGTH = 4096;
    static final int CRC_OFFSET = LENGTH - Integer.BYTES;

    /** "KVMSTORE" as the bytes lie. */
    static final long MAGIC = 0x45524F54534D564BL;

    static final int FORMAT_VERSION = 1;
    static final int FORMAT_VERSION_OLDEST = 1;

    static final int SLOT_COUNT = 4;
    static final int SLOT_STRIDE_BYTES = 256 << 10;

    /** Where segment 0 starts. */
    static final int SEGMENTS_OFFSET = SLOT_COUNT * SLOT_STRIDE_BYTES;

    private SuperblockDescriptor() {}

    static long slotOffset(int slot) {
        return (long) slot * SLOT_STRIDE_BYTES;
    }
}
