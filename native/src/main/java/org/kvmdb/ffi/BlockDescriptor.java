package org.kvmdb.ffi;

/**
 * A block: one logical page, map node or piece of metadata as it lies in the log, on a {@value Ppn#UNIT_BYTES}-byte
 * boundary. Little endian.
 *
 * <pre>
 *   0        4               8       9      10           11        12            16
 *  +--------+---------------+-------+------+------------+---------+-------------+---------~---+------~--+
 *  | CRC32C | payload bytes | codec | type | page shift | version | birth epoch | payload     | zeros   |
 *  +--------+---------------+-------+------+------------+---------+-------------+---------~---+------~--+
 *                                                                                              to a unit
 * </pre>
 *
 * <p>The CRC32C is that of the {@linkplain #SEED_LENGTH seed} followed by the block from the payload length to the end
 * of the zeros. The seed is not stored; it is what the reader expects the block to be:
 *
 * <pre>
 *   0      8            16    24    32       40
 *  +------+------------+-----+-----+--------+
 *  | salt | generation | PPN | LPN | family |      all 8 bytes; salt and generation of the segment
 *  +------+------------+-----+-----+--------+
 * </pre>
 *
 * so that a block that is right in itself but misplaced, stale or another volume's does not verify. The same layout is
 * in {@code layout.h}.
 */
public final class BlockDescriptor {

    public static final int CRC_OFFSET = 0;
    public static final int PAYLOAD_LENGTH_OFFSET = CRC_OFFSET + Integer.BYTES;
    public static final int CODEC_OFFSET = PAYLOAD_LENGTH_OFFSET + Integer.BYTES;
    public static final int TYPE_OFFSET = CODEC_OFFSET + Byte.BYTES;
    public static final int PAGE_SHIFT_OFFSET = TYPE_OFFSET + Byte.BYTES;
    public static final int VERSION_OFFSET = PAGE_SHIFT_OFFSET + Byte.BYTES;
    public static final int BIRTH_EPOCH_OFFSET = VERSION_OFFSET + Byte.BYTES;
    public static final int HEADER_LENGTH = BIRTH_EPOCH_OFFSET + Integer.BYTES;

    public static final int SEED_SALT_OFFSET = 0;
    public static final int SEED_GENERATION_OFFSET = SEED_SALT_OFFSET + Long.BYTES;
    public static final int SEED_PPN_OFFSET = SEED_GENERATION_OFFSET + Long.BYTES;
    public static final int SEED_LPN_OFFSET = SEED_PPN_OFFSET + Long.BYTES;
    public static final int SEED_FAMILY_OFFSET = SEED_LPN_OFFSET + Long.BYTES;
    public static final int SEED_LENGTH = SEED_FAMILY_OFFSET + Long.BYTES;

    public static final byte VERSION = 1;

    /** Codecs; zero is illegal. */
    public static final byte CODEC_RAW = 1;

    public static final byte CODEC_LZ4 = 2;

    /** Compressed by LZ4 against the {@linkplain CompressionDictionary dictionary} of the store; pages only. */
    public static final byte CODEC_LZ4_DICTIONARY = 3;

    /** Types; zero is illegal. */
    public static final byte TYPE_PAGE = 1;

    public static final byte TYPE_MAP_NODE = 2;
    public static final byte TYPE_METADATA = 3;

    public static final int PAGE_SHIFT_MIN = 12;
    public static final int PAGE_SHIFT_MAX = 16;

    private BlockDescriptor() {}

    /** Bytes that a block with that payload takes in the log: header, payload, zeros to a whole unit. */
    public static int blockLength(int payloadLength) {
        return (HEADER_LENGTH + payloadLength + Ppn.UNIT_BYTES - 1) & -Ppn.UNIT_BYTES;
    }
}
