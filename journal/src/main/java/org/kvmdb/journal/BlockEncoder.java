package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Exception;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.Ppn;

/**
 * Makes a block from a page, except for its CRC, which needs the block's place; only the append knows that. Any thread,
 * in parallel.
 */
public final class BlockEncoder {

    private static final LZ4Compressor COMPRESSOR = Lz4.compressor();

    private BlockEncoder() {}

    /** Bytes that a destination must have for pages of that size; with fewer than this no page is compressed. */
    public static int destinationLength(int pageShift) {
        return BlockDescriptor.blockLength(COMPRESSOR.maxCompressedLength(1 << pageShift));
    }

    /** The longest block that a page of that size can become. */
    public static int blockLengthMax(int pageShift) {
        return BlockDescriptor.blockLength(1 << pageShift);
    }

    /**
     * Encodes a page.
     *
     * @param page {@code 1 << pageShift} bytes of native memory
     * @param destination at least {@link #destinationLength} bytes of native memory
     * @return length of the block, whole units
     */
    public static int encode(MemorySegment page, int pageShift, MemorySegment destination) {
        return encode(page, pageShift, BlockDescriptor.TYPE_PAGE, 0, destination);
    }

    static int encode(MemorySegment page, int pageShift, byte type, int birthEpoch, MemorySegment destination) {
        final int rawLength = 1 << pageShift;
        int payloadLength = compress(page, rawLength, destination);
        byte codec = BlockDescriptor.CODEC_LZ4;
        if (BlockDescriptor.blockLength(payloadLength) >= BlockDescriptor.blockLength(rawLength)) {
            codec = BlockDescriptor.CODEC_RAW;
            payloadLength = rawLength;
            MemorySegment.copy(page, 0, destination, BlockDescriptor.HEADER_LENGTH, rawLength);
        }
        return frame(payloadLength, codec, pageShift, type, birthEpoch, destination);
    }

    /** Makes a page's block of a payload that is compressed already; the destination has room for any of that page shift. */
    static MemorySegment wrap(MemorySegment payload, int codec, int pageShift, MemorySegment destination) {
        MemorySegment.copy(payload, 0, destination, BlockDescriptor.HEADER_LENGTH, payload.byteSize());
        final int length = frame(
                (int) payload.byteSize(), (byte) codec, pageShift, BlockDescriptor.TYPE_PAGE, 0, destination);
        return destination.asSlice(0, length);
    }

    /** Puts the header before a payload and zeros behind it; returns the length of the block. */
    private static int frame(
            int payloadLength, byte codec, int pageShift, byte type, int birthEpoch, MemorySegment destination) {
        Fields.putInt(destination, BlockDescriptor.CRC_OFFSET, 0);
        Fields.putInt(destination, BlockDescriptor.PAYLOAD_LENGTH_OFFSET, payloadLength);
        Fields.putByte(destination, BlockDescriptor.CODEC_OFFSET, codec);
        Fields.putByte(destination, BlockDescriptor.TYPE_OFFSET, type);
        Fields.putByte(destination, BlockDescriptor.PAGE_SHIFT_OFFSET, pageShift);
        Fields.putByte(destination, BlockDescriptor.VERSION_OFFSET, BlockDescriptor.VERSION);
        Fields.putInt(destination, BlockDescriptor.BIRTH_EPOCH_OFFSET, birthEpoch);
        final int end = BlockDescriptor.HEADER_LENGTH + payloadLength;
        final int length = BlockDescriptor.blockLength(payloadLength);
        destination.asSlice(end, length - end).fill((byte) 0);
        return length;
    }

    private static int compress(MemorySegment page, int rawLength, MemorySegment destination) {
        if (destination.byteSize() < BlockDescriptor.HEADER_LENGTH + COMPRESSOR.maxCompressedLength(rawLength)) {
            return rawLength;
        }
        final ByteBuffer source = page.asSlice(0, rawLength).asByteBuffer();
        final ByteBuffer target = destination.asSlice(0, BlockDescriptor.HEADER_LENGTH
                        + COMPRESSOR.maxCompressedLength(rawLength))
                .asByteBuffer();
        try {
            return COMPRESSOR.compress(
                    source, 0, rawLength, target, BlockDescriptor.HEADER_LENGTH,
                    target.capacity() - BlockDescriptor.HEADER_LENGTH);
        } catch (LZ4Exception e) {
            return rawLength; // stored as it is, which is always right
        }
    }

    /** Whether a block that was handed in for appending can be one: what the appender relies on. */
    static boolean isEncoded(MemorySegment block, int pageShift) {
        final long length = block.byteSize();
        return length >= Ppn.UNIT_BYTES
                && length <= blockLengthMax(pageShift)
                && BlockDescriptor.blockLength(Fields.intAt(block, BlockDescriptor.PAYLOAD_LENGTH_OFFSET)) == length
                && Fields.byteAt(block, BlockDescriptor.PAGE_SHIFT_OFFSET) == pageShift;
    }
}
