package org.kvmdb.journal;

/**
 * A record of a CHANGES chunk, which holds nothing but records, one behind the other. Of a page the payload of its
 * block follows, as the store keeps it.
 *
 * <pre>
 *   0      1       2          4                8       16       24
 *  +------+-------+----------+----------------+-------+--------+---------~-+
 *  | kind | codec | reserved | payload length | first | count  | payload   |
 *  +------+-------+----------+----------------+-------+--------+---------~-+
 *
 *  kind   codec             payload length   first       count
 *  PAGE   as in the block   1 to page size   LPN         1
 *  HOLES  0                 0                first LPN   number of pages that are holes
 * </pre>
 */
final class StreamRecordDescriptor {

    static final int KIND_OFFSET = 0;
    static final int CODEC_OFFSET = KIND_OFFSET + Byte.BYTES;
    static final int RESERVED_OFFSET = CODEC_OFFSET + Byte.BYTES;
    static final int PAYLOAD_LENGTH_OFFSET = RESERVED_OFFSET + Short.BYTES;
    static final int FIRST_OFFSET = PAYLOAD_LENGTH_OFFSET + Integer.BYTES;
    static final int COUNT_OFFSET = FIRST_OFFSET + Long.BYTES;
    static final int LENGTH = COUNT_OFFSET + Long.BYTES;

    /** Kinds; zero is illegal. */
    static final int KIND_PAGE = 1;

    static final int KIND_HOLES = 2;

    private StreamRecordDescriptor() {}
}
