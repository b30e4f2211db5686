package org.kvmdb.journal;

/**
 * A batch: one atomic, self-validating append to the log. It starts on a unit of {@value #UNIT_BYTES} bytes within its
 * segment and takes whole units. The records come behind the blocks, so that a block's place is known as soon as it is
 * appended, and next to the following batch's header, so that a scan that skips the blocks reads once per batch.
 *
 * <pre>
 *  +----------------+--------------------------~--+------------~--+---------~--+
 *  | header (128)   | blocks, on 64-byte units    | records       | zeros      |
 *  +----------------+--------------------------~--+------------~--+---------~--+
 *
 *  header:
 *   0        4       8         10       12      16         24        28           32      40
 *  +--------+-------+---------+--------+-------+----------+---------+------------+------+
 *  | CRC32C | magic | version | stream | flags | store id | segment | generation | salt |
 *  +--------+-------+---------+--------+-------+----------+---------+------------+------+
 *   40         48                56               64                     72               80
 *  +----------+-----------------+----------------+----------------------+----------------+
 *  | sequence | previous digest | known durable  | checkpoint generation | first sequence |
 *  +----------+-----------------+----------------+----------------------+----------------+
 *   80       84             88               92              96       100            104
 *  +--------+--------------+----------------+---------------+--------+--------------+
 *  | length | record count | records length | blocks length | offset | next segment |
 *  +--------+--------------+----------------+---------------+--------+--------------+
 *   104               108        112         120       128
 *  +-----------------+----------+-----------+---------+
 *  | next generation | reserved | next salt | session |
 *  +-----------------+----------+-----------+---------+
 * </pre>
 *
 * <p>The CRC32C covers the header from the magic on, then the records. The digest of a batch is the XXH64 of its records
 * seeded with the XXH64 of its header.
 */
final class BatchDescriptor {

    static final int CRC_OFFSET = 0;
    static final int MAGIC_OFFSET = CRC_OFFSET + Integer.BYTES;
    static final int VERSION_OFFSET = MAGIC_OFFSET + Integer.BYTES;
    static final int STREAM_OFFSET = VERSION_OFFSET + Short.BYTES;
    static final int FLAGS_OFFSET = STREAM_OFFSET + Short.BYTES;
    static final int STORE_ID_OFFSET = FLAGS_OFFSET + Integer.BYTES;
    static final int SEGMENT_OFFSET = STORE_ID_OFFSET + Long.BYTES;
    static final int GENERATION_OFFSET = SEGMENT_OFFSET + Integer.BYTES;
    static final int SALT_OFFSET = GENERATION_OFFSET + Integer.BYTES;
    static final int SEQUENCE_OFFSET = SALT_OFFSET + Long.BYTES;
    static final int PREVIOUS_DIGEST_OFFSET = SEQUENCE_OFFSET + Long.BYTES;
    static final int KNOWN_DURABLE_OFFSET = PREVIOUS_DIGEST_OFFSET + Long.BYTES;
    static final int CHECKPOINT_GENERATION_OFFSET = KNOWN_DURABLE_OFFSET + Long.BYTES;
    static final int FIRST_SEQUENCE_OFFSET = CHECKPOINT_GENERATION_OFFSET + Long.BYTES;
    static final int LENGTH_OFFSET = FIRST_SEQUENCE_OFFSET + Long.BYTES;
    static final int RECORD_COUNT_OFFSET = LENGTH_OFFSET + Integer.BYTES;
    static final int RECORDS_LENGTH_OFFSET = RECORD_COUNT_OFFSET + Integer.BYTES;
    static final int BLOCKS_LENGTH_OFFSET = RECORDS_LENGTH_OFFSET + Integer.BYTES;
    static final int OFFSET_OFFSET = BLOCKS_LENGTH_OFFSET + Integer.BYTES;
    static final int NEXT_SEGMENT_OFFSET = OFFSET_OFFSET + Integer.BYTES;
    static final int NEXT_GENERATION_OFFSET = NEXT_SEGMENT_OFFSET + Integer.BYTES;
    static final int RESERVED_OFFSET = NEXT_GENERATION_OFFSET + Integer.BYTES;
    static final int NEXT_SALT_OFFSET = RESERVED_OFFSET + Integer.BYTES;
    static final int SESSION_OFFSET = NEXT_SALT_OFFSET + Long.BYTES;
    static final int HEADER_LENGTH = SESSION_OFFSET + Long.BYTES;

    /** "KVMB" as the bytes lie. */
    static final int MAGIC = 'K' | 'V' << 8 | 'M' << 16 | 'B' << 24;

    static final int VERSION = 1;

    /** What a batch is aligned to and a whole number of: the unit of writing. */
    static final int UNIT_BYTES = 4096;

    static final int LENGTH_MAX = 1 << 20;

    /** Last batch of a commit: its records and those of the batches since the first sequence apply. */
    static final int FLAG_COMMIT = 1;

    /** Blocks of pages that are not committed yet; the records tell what the blocks are and are never applied. */
    static final int FLAG_STOLEN = 2;

    /** Map nodes and metadata of a checkpoint; the records tell what the blocks are and are never applied. */
    static final int FLAG_CHECKPOINT = 4;

    /** Carries nothing but the known-durable sequence. */
    static final int FLAG_SEAL = 8;

    /** Last batch of its segment: the log goes on in the next segment that it names. */
    static final int FLAG_SEGMENT_END = 16;

    /** With FLAG_SEAL: the store was closed in order, nothing was written behind. */
    static final int FLAG_CLOSED = 32;

    static final int FLAGS_KNOWN = 63;

    /** Next segment of a header that names none. */
    static final int NO_SEGMENT = -1;

    private BatchDescriptor() {}
}
