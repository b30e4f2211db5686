package org.kvmdb.journal;

/**
 * A chunk of a stream, which is nothing but chunks: one BEGIN, any number of CHANGES, one END. Little endian, without
 * padding.
 *
 * <pre>
 *   0       4         6      7          8        12       16         24                32       length
 *  +-------+---------+------+----------+--------+--------+----------+-----------------+------~-+
 *  | magic | version | kind | reserved | length | CRC32C | sequence | previous digest | body   |
 *  +-------+---------+------+----------+--------+--------+----------+-----------------+------~-+
 * </pre>
 *
 * <p>The CRC32C covers the whole chunk but for itself. The digest of a chunk is the XXH64 of all of it, seeded with the
 * digest of the chunk before, 0 for the first: the one that the last chunk names is over the whole stream.
 */
final class StreamChunkDescriptor {

    static final int MAGIC_OFFSET = 0;
    static final int VERSION_OFFSET = MAGIC_OFFSET + Integer.BYTES;
    static final int KIND_OFFSET = VERSION_OFFSET + Short.BYTES;
    static final int RESERVED_OFFSET = KIND_OFFSET + Byte.BYTES;
    static final int LENGTH_OFFSET = RESERVED_OFFSET + Byte.BYTES;
    static final int CRC_OFFSET = LENGTH_OFFSET + Integer.BYTES;
    static final int SEQUENCE_OFFSET = CRC_OFFSET + Integer.BYTES;
    static final int PREVIOUS_DIGEST_OFFSET = SEQUENCE_OFFSET + Long.BYTES;
    static final int HEADER_LENGTH = PREVIOUS_DIGEST_OFFSET + Long.BYTES;

    /** "KVMS" as the bytes lie. */
    static final int MAGIC = 'K' | 'V' << 8 | 'M' << 16 | 'S' << 24;

    static final int VERSION = 1;

    /** What a reader needs memory for. */
    static final int LENGTH_MAX = 1 << 20;

    /** Kinds; zero is illegal. */
    static final int KIND_BEGIN = 1;

    static final int KIND_CHANGES = 2;
    static final int KIND_END = 3;

    private StreamChunkDescriptor() {}
}
