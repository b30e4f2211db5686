package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4SafeDecompressor;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.CompressionDictionary;

/**
 * Computes and verifies the checksum of blocks. Not thread-safe: each thread has its own.
 */
final class BlockSeal {

    private static final LZ4SafeDecompressor DECOMPRESSOR = Lz4.decompressor();

    /** What blocks of pages may be compressed against; null where none of them are looked at. */
    private final StoreDictionary dictionary;

    private final CRC32C crc = new CRC32C();
    private final ByteBuffer seed =
            ByteBuffer.allocateDirect(BlockDescriptor.SEED_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    /** Allocated when it is first needed: most seals only reckon checksums. */
    private MemorySegment scratch;

    /** For checksums, and for blocks that no dictionary is used for: map nodes and metadata. */
    BlockSeal() {
        this(null);
    }

    BlockSeal(StoreDictionary dictionary) {
        this.dictionary = dictionary;
    }

    /** The CRC of a block that fills the segment, for the place and the identity given. */
    int crc(MemorySegment block, long salt, int generation, long ppn, long lpn, long family) {
        seed.putLong(BlockDescriptor.SEED_SALT_OFFSET, salt);
        seed.putLong(BlockDescriptor.SEED_GENERATION_OFFSET, Integer.toUnsignedLong(generation));
        seed.putLong(BlockDescriptor.SEED_PPN_OFFSET, ppn);
        seed.putLong(BlockDescriptor.SEED_LPN_OFFSET, lpn);
        seed.putLong(BlockDescriptor.SEED_FAMILY_OFFSET, family);
        seed.clear();
        crc.reset();
        crc.update(seed);
        crc.update(block.asSlice(
                        BlockDescriptor.PAYLOAD_LENGTH_OFFSET,
                        block.byteSize() - BlockDescriptor.PAYLOAD_LENGTH_OFFSET)
                .asByteBuffer());
        return (int) crc.getValue();
    }

    /**
     * Decodes a block into a page.
     *
     * @return null, or what is wrong with it
     */
    String decode(MemorySegment block, byte type, int expectedCrc, MemorySegment page, int pageShift) {
        final int stored = Fields.intAt(block, BlockDescriptor.CRC_OFFSET);
        if (stored != expectedCrc) {
            return "block checksum mismatch: expected=0x%08x actual=0x%08x".formatted(expectedCrc, stored);
        }
        final int payloadLength = Fields.intAt(block, BlockDescriptor.PAYLOAD_LENGTH_OFFSET);
        if (payloadLength <= 0
                || payloadLength > 1 << pageShift
                || BlockDescriptor.blockLength(payloadLength) != block.byteSize()) {
            return "block length mismatch: payload=%d block=%d".formatted(payloadLength, block.byteSize());
        }
        if (Fields.byteAt(block, BlockDescriptor.TYPE_OFFSET) != type
                || Fields.byteAt(block, BlockDescriptor.PAGE_SHIFT_OFFSET) != pageShift
                || Fields.byteAt(block, BlockDescriptor.VERSION_OFFSET) != BlockDescriptor.VERSION) {
            return "block header mismatch: type=%d pageShift=%d version=%d, expected type=%d pageShift=%d version=%d"
                    .formatted(
                            Fields.byteAt(block, BlockDescriptor.TYPE_OFFSET),
                            Fields.byteAt(block, BlockDescriptor.PAGE_SHIFT_OFFSET),
                            Fields.byteAt(block, BlockDescriptor.VERSION_OFFSET),
                            type,
                            pageShift,
                            BlockDescriptor.VERSION);
        }
        return Fields.byteAt(block, BlockDescriptor.CODEC_OFFSET) == BlockDescriptor.CODEC_LZ4_DICTIONARY
                ? decodeByDictionary(block, payloadLength, page, 1 << pageShift)
                : decodePayload(block, payloadLength, page, 1 << pageShift);
    }

    private String decodeByDictionary(MemorySegment block, int payloadLength, MemorySegment page, int pageLength) {
        final CompressionDictionary inUse = dictionary == null ? null : dictionary.inUse();
        if (inUse == null) {
            return "block is compressed against a dictionary, and the store has none";
        }
        final int length = inUse.decompress(
                block.asSlice(BlockDescriptor.HEADER_LENGTH, payloadLength), page.asSlice(0, pageLength));
        return length == pageLength ? null : "block does not decode against the dictionary";
    }

    /** Decodes a payload that needs no dictionary, behind a block's header, into a page of that length; null, or what is wrong. */
    static String decodePayload(MemorySegment block, int payloadLength, MemorySegment page, int pageLength) {
        final int codec = Fields.byteAt(block, BlockDescriptor.CODEC_OFFSET);
        if (codec == BlockDescriptor.CODEC_RAW) {
            if (payloadLength != pageLength) {
                return "raw block of a wrong length: payload=%d page=%d".formatted(payloadLength, pageLength);
            }
            MemorySegment.copy(block, BlockDescriptor.HEADER_LENGTH, page, 0, pageLength);
            return null;
        }
        if (codec != BlockDescriptor.CODEC_LZ4) {
            return "unknown codec: " + codec;
        }
        try {
            final int length = DECOMPRESSOR.decompress(
                    block.asByteBuffer(),
                    BlockDescriptor.HEADER_LENGTH,
                    payloadLength,
                    page.asSlice(0, pageLength).asByteBuffer(),
                    0,
                    pageLength);
            return length == pageLength ? null : "block decodes to %d bytes, not to %d".formatted(length, pageLength);
        } catch (LZ4Exception e) {
            return "block does not decode: " + e.getMessage();
        }
    }

    /** As {@link #decode}, without keeping the page. */
    String verify(MemorySegment block, byte type, int expectedCrc, int pageShift) {
        if (scratch == null) {
            scratch = Arena.ofAuto().allocate(1 << BlockDescriptor.PAGE_SHIFT_MAX, 64);
        }
        return decode(block, type, expectedCrc, scratch, pageShift);
    }
}
