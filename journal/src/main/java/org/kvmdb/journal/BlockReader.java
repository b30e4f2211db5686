package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.Ppn;

/** Reads blocks from the device and verifies them; one that is wrong is read again, once, beneath the cache. Not thread-safe. */
final class BlockReader {

    static final String ENDS_WITHIN = "device ends within the block";

    private final Device device;
    private final SegmentTable segments;
    private final BlockSeal seal;
    /** Allocated when the first block is read: a journal has several readers, of which not all are used. */
    private MemorySegment buffer;
    /** The block that was read last, in the buffer. */
    private MemorySegment last;

    BlockReader(JournalParts parts) {
        this(parts.device(), parts.segments(), new BlockSeal(parts.dictionary()));
    }

    /** One of map nodes and metadata, which no dictionary is used for. */
    BlockReader(Device device, SegmentTable segments) {
        this(device, segments, new BlockSeal());
    }

    private BlockReader(Device device, SegmentTable segments, BlockSeal seal) {
        this.device = device;
        this.segments = segments;
        this.seal = seal;
    }

    private MemorySegment room() {
        if (buffer == null) {
            final long blockLengthMax = Fields.alignUp(
                    BlockEncoder.blockLengthMax(BlockDescriptor.PAGE_SHIFT_MAX), BatchDescriptor.UNIT_BYTES);
            buffer = Arena.ofAuto().allocate(blockLengthMax + WholeReads.AROUND_BYTES, BatchDescriptor.UNIT_BYTES);
        }
        return buffer;
    }

    /** Reads a block into a page with the seed of the segment table; null, or what is wrong. */
    String read(long ppn, byte type, long lpn, long family, MemorySegment page, int pageShift) {
        if (!segments.isPlausible(ppn)) {
            return "no block can lie there";
        }
        final long place = segments.resolve(ppn);
        final int segment = Ppn.segment(place);
        return read(
                place, segments.salt(segment), segments.generation(segment), type, lpn, family, page, pageShift);
    }

    String read(
            long ppn, long salt, int generation, byte type, long lpn, long family, MemorySegment page, int pageShift) {
        final int length = Ppn.lengthBytes(ppn);
        if (length > BlockEncoder.blockLengthMax(pageShift)) {
            return "block of %d bytes is longer than a page of %d can become".formatted(length, 1 << pageShift);
        }
        final String wrong = decode(readRaw(ppn), salt, generation, ppn, type, lpn, family, page, pageShift);
        return wrong == null
                ? null
                : decode(readRawBeneathCache(ppn), salt, generation, ppn, type, lpn, family, page, pageShift);
    }

    private String decode(
            MemorySegment block, long salt, int generation, long ppn, byte type, long lpn, long family,
            MemorySegment page, int pageShift) {
        return block == null
                ? ENDS_WITHIN
                : verify(block, salt, generation, ppn, type, lpn, family, page, pageShift);
    }

    /** Reads a block as it lies, to be verified by the caller; null when the device ends within it. Valid until the next read. */
    MemorySegment readRaw(long ppn) {
        final MemorySegment block = room().asSlice(0, Ppn.lengthBytes(ppn));
        last = WholeReads.read(device, positionOf(ppn), block) == block.byteSize() ? block : null;
        return last;
    }

    /** The same for a second look: what is wrong in the system's cache would come again. */
    MemorySegment readRawBeneathCache(long ppn) {
        last = WholeReads.readBeneathCache(device, positionOf(ppn), Ppn.lengthBytes(ppn), room());
        return last;
    }

    private long positionOf(long ppn) {
        return segments.position(Ppn.segment(ppn)) + Ppn.offsetBytes(ppn);
    }

    /** Payload of the block that was read last, valid until the next read. */
    MemorySegment lastPayload() {
        return last.asSlice(
                BlockDescriptor.HEADER_LENGTH, Fields.intAt(last, BlockDescriptor.PAYLOAD_LENGTH_OFFSET));
    }

    /** How the payload of the block that was read last is compressed. */
    int lastCodec() {
        return Fields.byteAt(last, BlockDescriptor.CODEC_OFFSET);
    }

    /** Verifies and decodes a block that is in memory; null, or what is wrong. */
    String verify(
            MemorySegment block, long salt, int generation, long ppn, byte type, long lpn, long family,
            MemorySegment page, int pageShift) {
        final int crc = seal.crc(block, salt, generation, ppn, lpn, family);
        return page == null
                ? seal.verify(block, type, crc, pageShift)
                : seal.decode(block, type, crc, page, pageShift);
    }

    /** The CRC that the last block read carries. */
    int lastCrc() {
        return Fields.intAt(last, BlockDescriptor.CRC_OFFSET);
    }
}
