package org.kvmdb.journal;

/**
 * The metadata stream of a checkpoint: catalog header, volumes, segment records, in this order and nothing behind. It is
 * cut into METADATA blocks; {@link MetadataRootDescriptor} lists them. Little endian.
 *
 * <pre>
 *  header:
 *   0       8         12             16               20              24
 *  +-------+---------+--------------+----------------+---------------+
 *  | magic | version | volume count | next volume id | segment count |
 *  +-------+---------+--------------+----------------+---------------+
 *
 *  volume:
 *   0    4            5          6             8      16       24    32         40
 *  +----+------------+----------+-------------+------+--------+-----+----------+------~--+
 *  | id | page shift | reserved | name length | size | family | LSN | root PPN | name    |
 *  +----+------------+----------+-------------+------+--------+-----+----------+------~--+
 *                                                              (0: nothing mapped)  zeros to 8
 *  segment record:
 *   0               8      16           20             22       23      24           28         32
 *  +---------------+------+------------+--------------+--------+-------+------------+----------+
 *  | device offset | salt | generation | device index | copies | state | live bytes | written  |
 *  +---------------+------+------------+--------------+--------+-------+------------+----------+
 * </pre>
 */
final class CatalogDescriptor {

    static final int MAGIC_OFFSET = 0;
    static final int VERSION_OFFSET = MAGIC_OFFSET + Long.BYTES;
    static final int VOLUME_COUNT_OFFSET = VERSION_OFFSET + Integer.BYTES;
    static final int NEXT_VOLUME_ID_OFFSET = VOLUME_COUNT_OFFSET + Integer.BYTES;
    static final int SEGMENT_COUNT_OFFSET = NEXT_VOLUME_ID_OFFSET + Integer.BYTES;
    static final int HEADER_LENGTH = SEGMENT_COUNT_OFFSET + Integer.BYTES;

    static final int VOLUME_ID_OFFSET = 0;
    static final int VOLUME_PAGE_SHIFT_OFFSET = VOLUME_ID_OFFSET + Integer.BYTES;
    static final int VOLUME_RESERVED_OFFSET = VOLUME_PAGE_SHIFT_OFFSET + Byte.BYTES;
    static final int VOLUME_NAME_LENGTH_OFFSET = VOLUME_RESERVED_OFFSET + Byte.BYTES;
    static final int VOLUME_SIZE_OFFSET = VOLUME_NAME_LENGTH_OFFSET + Short.BYTES;
    static final int VOLUME_FAMILY_OFFSET = VOLUME_SIZE_OFFSET + Long.BYTES;
    static final int VOLUME_LSN_OFFSET = VOLUME_FAMILY_OFFSET + Long.BYTES;
    static final int VOLUME_ROOT_OFFSET = VOLUME_LSN_OFFSET + Long.BYTES;
    static final int VOLUME_NAME_OFFSET = VOLUME_ROOT_OFFSET + Long.BYTES;

    static final int SEGMENT_DEVICE_OFFSET_OFFSET = 0;
    static final int SEGMENT_SALT_OFFSET = SEGMENT_DEVICE_OFFSET_OFFSET + Long.BYTES;
    static final int SEGMENT_GENERATION_OFFSET = SEGMENT_SALT_OFFSET + Long.BYTES;
    static final int SEGMENT_DEVICE_INDEX_OFFSET = SEGMENT_GENERATION_OFFSET + Integer.BYTES;
    static final int SEGMENT_COPIES_OFFSET = SEGMENT_DEVICE_INDEX_OFFSET + Short.BYTES;
    static final int SEGMENT_STATE_OFFSET = SEGMENT_COPIES_OFFSET + Byte.BYTES;
    static final int SEGMENT_LIVE_OFFSET = SEGMENT_STATE_OFFSET + Byte.BYTES;
    static final int SEGMENT_WRITTEN_OFFSET = SEGMENT_LIVE_OFFSET + Integer.BYTES;
    static final int SEGMENT_LENGTH = SEGMENT_WRITTEN_OFFSET + Integer.BYTES;

    /** "KVMCATLG" as the bytes lie. */
    static final long MAGIC = 0x474C5441434D564BL;

    static final int VERSION = 1;

    private CatalogDescriptor() {}
}
