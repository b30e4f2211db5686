package org.kvmdb.journal;

/**
 * The metadata stream of a checkpoint: catalog header, versions, segment records, remaps, dictionary, in this order and nothing
 * behind. It is cut into METADATA blocks; {@link MetadataRootDescriptor} lists them. Little endian.
 *
 * <pre>
 *  header:
 *   0       8         12              16        20              24                  28         32
 *  +-------+---------+---------------+---------+---------------+-------------------+----------+
 *  | magic | version | version count | next id | segment count | dictionary length | reserved |
 *  +-------+---------+---------------+---------+---------------+-------------------+----------+
 *
 *  version (a volume or a snapshot):
 *   0    4            5      6             8      16       24    32         40       44      48          52
 *  +----+------------+------+-------------+------+--------+-----+----------+--------+-------+-----------+-------+
 *  | id | page shift | kind | name length | size | family | LSN | root PPN | parent | epoch | volume id | flags |
 *  +----+------------+------+-------------+------+--------+-----+----------+--------+-------+-----------+-------+
 *   56     64        72      80                 88                 96           104
 *  +------+---------+-------+------------------+------------------+-------------+------~--+
 *  | GUID | created | quota | referenced pages | referenced bytes | drop cursor | name    |
 *  +------+---------+-------+------------------+------------------+-------------+------~--+
 *                                                                                zeros to 8
 *  segment record:
 *   0               8      16           20             22       23      24           28        32           40
 *  +---------------+------+------------+--------------+--------+-------+------------+---------+------------+
 *  | device offset | salt | generation | device index | copies | state | live bytes | written | write time |
 *  +---------------+------+------------+--------------+--------+-------+------------+---------+------------+
 *
 *  remap, behind their number (8), sorted by name:
 *   0      8        16
 *  +------+--------+
 *  | name | target |
 *  +------+--------+
 * </pre>
 */
final class CatalogDescriptor {

    static final int MAGIC_OFFSET = 0;
    static final int VERSION_OFFSET = MAGIC_OFFSET + Long.BYTES;
    static final int ENTRY_COUNT_OFFSET = VERSION_OFFSET + Integer.BYTES;
    static final int NEXT_ID_OFFSET = ENTRY_COUNT_OFFSET + Integer.BYTES;
    static final int SEGMENT_COUNT_OFFSET = NEXT_ID_OFFSET + Integer.BYTES;
    static final int DICTIONARY_LENGTH_OFFSET = SEGMENT_COUNT_OFFSET + Integer.BYTES;
    static final int RESERVED_OFFSET = DICTIONARY_LENGTH_OFFSET + Integer.BYTES;
    static final int HEADER_LENGTH = RESERVED_OFFSET + Integer.BYTES;

    static final int ENTRY_ID_OFFSET = 0;
    static final int ENTRY_PAGE_SHIFT_OFFSET = ENTRY_ID_OFFSET + Integer.BYTES;
    static final int ENTRY_KIND_OFFSET = ENTRY_PAGE_SHIFT_OFFSET + Byte.BYTES;
    static final int ENTRY_NAME_LENGTH_OFFSET = ENTRY_KIND_OFFSET + Byte.BYTES;
    static final int ENTRY_SIZE_OFFSET = ENTRY_NAME_LENGTH_OFFSET + Short.BYTES;
    static final int ENTRY_FAMILY_OFFSET = ENTRY_SIZE_OFFSET + Long.BYTES;
    static final int ENTRY_LSN_OFFSET = ENTRY_FAMILY_OFFSET + Long.BYTES;
    static final int ENTRY_ROOT_OFFSET = ENTRY_LSN_OFFSET + Long.BYTES;
    static final int ENTRY_PARENT_OFFSET = ENTRY_ROOT_OFFSET + Long.BYTES;
    static final int ENTRY_EPOCH_OFFSET = ENTRY_PARENT_OFFSET + Integer.BYTES;
    static final int ENTRY_VOLUME_OFFSET = ENTRY_EPOCH_OFFSET + Integer.BYTES;
    static final int ENTRY_FLAGS_OFFSET = ENTRY_VOLUME_OFFSET + Integer.BYTES;
    static final int ENTRY_GUID_OFFSET = ENTRY_FLAGS_OFFSET + Integer.BYTES;
    static final int ENTRY_CREATED_OFFSET = ENTRY_GUID_OFFSET + Long.BYTES;
    static final int ENTRY_QUOTA_OFFSET = ENTRY_CREATED_OFFSET + Long.BYTES;
    static final int ENTRY_REFERENCED_PAGES_OFFSET = ENTRY_QUOTA_OFFSET + Long.BYTES;
    static final int ENTRY_REFERENCED_BYTES_OFFSET = ENTRY_REFERENCED_PAGES_OFFSET + Long.BYTES;
    static final int ENTRY_CURSOR_OFFSET = ENTRY_REFERENCED_BYTES_OFFSET + Long.BYTES;
    static final int ENTRY_NAME_OFFSET = ENTRY_CURSOR_OFFSET + Long.BYTES;

    static final int SEGMENT_DEVICE_OFFSET_OFFSET = 0;
    static final int SEGMENT_SALT_OFFSET = SEGMENT_DEVICE_OFFSET_OFFSET + Long.BYTES;
    static final int SEGMENT_GENERATION_OFFSET = SEGMENT_SALT_OFFSET + Long.BYTES;
    static final int SEGMENT_DEVICE_INDEX_OFFSET = SEGMENT_GENERATION_OFFSET + Integer.BYTES;
    static final int SEGMENT_COPIES_OFFSET = SEGMENT_DEVICE_INDEX_OFFSET + Short.BYTES;
    static final int SEGMENT_STATE_OFFSET = SEGMENT_COPIES_OFFSET + Byte.BYTES;
    static final int SEGMENT_LIVE_OFFSET = SEGMENT_STATE_OFFSET + Byte.BYTES;
    static final int SEGMENT_WRITTEN_OFFSET = SEGMENT_LIVE_OFFSET + Integer.BYTES;
    static final int SEGMENT_WRITE_TIME_OFFSET = SEGMENT_WRITTEN_OFFSET + Integer.BYTES;
    static final int SEGMENT_LENGTH = SEGMENT_WRITE_TIME_OFFSET + Long.BYTES;

    static final int REMAP_NAME_OFFSET = 0;
    static final int REMAP_TARGET_OFFSET = REMAP_NAME_OFFSET + Long.BYTES;
    static final int REMAP_LENGTH = REMAP_TARGET_OFFSET + Long.BYTES;

    /** "KVMCATLG" as the bytes lie. */
    static final long MAGIC = 0x474C5441434D564BL;

    static final int VERSION = 3;

    static final int KIND_VOLUME = 1;
    static final int KIND_SNAPSHOT = 2;

    /** Flag: the version is deleted, and not yet dropped. */
    static final int FLAG_DELETED = 1;

    private CatalogDescriptor() {}
}
