package org.kvmdb.journal;

/**
 * Body of the first chunk of a stream: which snapshot it is, and what the changes are on top of.
 *
 * <pre>
 *   0            16     24          32                40     48    56
 *  +------------+------+-----------+-----------------+------+-----+------------+
 *  | store uuid | guid | base guid | created, millis | size | LSN | page shift |
 *  +------------+------+-----------+-----------------+------+-----+------------+
 *   57         58              60                62            64
 *  +----------+---------------+-----------------+-------------+-------------~-+
 *  | reserved | volume length | snapshot length | base length | the three     |
 *  |          |               |                 |             | names, UTF-8  |
 *  +----------+---------------+-----------------+-------------+-------------~-+
 * </pre>
 */
final class StreamBeginDescriptor {

    static final int STORE_UUID_OFFSET = 0;
    static final int GUID_OFFSET = STORE_UUID_OFFSET + 2 * Long.BYTES;
    static final int BASE_GUID_OFFSET = GUID_OFFSET + Long.BYTES;
    static final int CREATED_OFFSET = BASE_GUID_OFFSET + Long.BYTES;
    static final int SIZE_OFFSET = CREATED_OFFSET + Long.BYTES;
    static final int LSN_OFFSET = SIZE_OFFSET + Long.BYTES;
    static final int PAGE_SHIFT_OFFSET = LSN_OFFSET + Long.BYTES;
    static final int RESERVED_OFFSET = PAGE_SHIFT_OFFSET + Byte.BYTES;
    static final int VOLUME_LENGTH_OFFSET = RESERVED_OFFSET + Byte.BYTES;
    static final int SNAPSHOT_LENGTH_OFFSET = VOLUME_LENGTH_OFFSET + Short.BYTES;
    static final int BASE_LENGTH_OFFSET = SNAPSHOT_LENGTH_OFFSET + Short.BYTES;
    static final int NAMES_OFFSET = BASE_LENGTH_OFFSET + Short.BYTES;

    private StreamBeginDescriptor() {}
}
