package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;

/**
 * Appends the metadata stream and the root block that lists it. The stream holds the segment table and is itself written
 * into segments: should the log move on meanwhile, the table does not know the segment that the end of the stream lies
 * in. That does no harm, for the references to these blocks carry their seed, and recovery learns the segment from the
 * log, which starts before.
 */
final class MetadataWriter {

    private static final int BATCH_WASTE_MAX = BatchDescriptor.HEADER_LENGTH + BatchDescriptor.UNIT_BYTES;

    /** Bytes before the zeros that LZ4 stores raw beside those that it must, since it looks for matches in growing steps. */
    private static final int LZ4_WASTE_MAX = 128;

    private final LogWriter log;
    private final SegmentTable segments;
    private final long family;
    private final int pageShift;
    private long rootPpn;
    private int rootCrc;
    private int segmentCount;
    private long blockBytes;

    MetadataWriter(LogWriter log, SegmentTable segments, long generation) {
        this.log = log;
        this.segments = segments;
        family = MetadataRootDescriptor.family(generation);
        pageShift = MetadataRootDescriptor.pageShift(segments.segmentSizeBytes());
    }

    /**
     * What a stream of that length and its root block take of the log at worst: all of it stored raw, and with what is left at
     * the ends of segments, where the next block does not fit.
     */
    static long bytesMax(long streamBytes, int segmentSizeBytes) {
        final int pageShift = MetadataRootDescriptor.pageShift(segmentSizeBytes);
        final int rest = (int) (streamBytes & (1 << pageShift) - 1);
        final int root = MetadataRootDescriptor.length(pieces(streamBytes, pageShift));
        return (streamBytes >>> pageShift) * (segmentSizeBytes / wholeInSegment(pageShift, segmentSizeBytes))
                + filledBytesMax(rest, pageShift)
                + filledBytesMax(root, pageShift)
                + BATCH_WASTE_MAX;
    }

    /** How many raw blocks of whole pieces a segment takes at least. */
    private static int wholeInSegment(int pageShift, int segmentSizeBytes) {
        final int block = BlockEncoder.blockLengthMax(pageShift) + RecordDescriptor.LENGTH;
        final int batches = segmentSizeBytes / (BatchDescriptor.LENGTH_MAX - block) + 2;
        return (segmentSizeBytes - BatchDescriptor.UNIT_BYTES - batches * BATCH_WASTE_MAX) / block;
    }

    /** A block of so many bytes and zeros, and its record: what LZ4 adds to the ones and makes of the others is less than a 64th. */
    private static int filledBytesMax(int length, int pageShift) {
        final int encoded = BlockDescriptor.blockLength(length + (1 << pageShift >>> 6) + LZ4_WASTE_MAX);
        return Math.min(BlockEncoder.blockLengthMax(pageShift), encoded) + RecordDescriptor.LENGTH;
    }

    private static int pieces(long streamBytes, int pageShift) {
        return Math.toIntExact((streamBytes + (1 << pageShift) - 1) >>> pageShift);
    }

    void write(Arena arena, Supplier<MemorySegment> encoder) {
        log.beginGroup(SpaceClaim.CHECKPOINT);
        segmentCount = segments.count();
        final MemorySegment stream = encoder.get();
        final int pageLength = 1 << pageShift;
        final int count = pieces(stream.byteSize(), pageShift);
        if (count > MetadataRootDescriptor.entriesMax(pageShift)) {
            throw new StorageException(
                    ErrorCode.BUSY,
                    "metadata of %d bytes needs %d blocks, the root block lists %d at most"
                            .formatted(stream.byteSize(), count, MetadataRootDescriptor.entriesMax(pageShift)));
        }
        final MemorySegment page = arena.allocate(pageLength, 64);
        final MemorySegment encoded = arena.allocate(BlockEncoder.destinationLength(pageShift), 64);
        final MemorySegment root = arena.allocate(pageLength, 64);
        Fields.putLong(root, MetadataRootDescriptor.MAGIC_OFFSET, MetadataRootDescriptor.MAGIC);
        Fields.putLong(root, MetadataRootDescriptor.STREAM_LENGTH_OFFSET, stream.byteSize());
        Fields.putInt(root, MetadataRootDescriptor.BLOCK_COUNT_OFFSET, count);
        for (int i = 0; i < count; i++) {
            final long from = (long) i * pageLength;
            final long length = Math.min(pageLength, stream.byteSize() - from);
            page.fill((byte) 0);
            MemorySegment.copy(stream, from, page, 0, length);
            final long ppn = append(page, i, encoded);
            final int entry = MetadataRootDescriptor.ENTRIES_OFFSET + i * MetadataRootDescriptor.ENTRY_LENGTH;
            Fields.putLong(root, entry + MetadataRootDescriptor.ENTRY_PPN_OFFSET, ppn);
            Fields.putLong(root, entry + MetadataRootDescriptor.ENTRY_SALT_OFFSET, segments.salt(Ppn.segment(ppn)));
            Fields.putInt(
                    root, entry + MetadataRootDescriptor.ENTRY_GENERATION_OFFSET,
                    segments.generation(Ppn.segment(ppn)));
            Fields.putInt(root, entry + MetadataRootDescriptor.ENTRY_CRC_OFFSET, log.lastBlockCrc());
        }
        rootPpn = append(root, MetadataRootDescriptor.ROOT_LPN, encoded);
        rootCrc = log.lastBlockCrc();
        log.endGroup(BatchDescriptor.FLAG_CHECKPOINT);
    }

    private long append(MemorySegment page, long lpn, MemorySegment encoded) {
        final int length = BlockEncoder.encode(page, pageShift, BlockDescriptor.TYPE_METADATA, 0, encoded);
        blockBytes += length;
        return log.block(
                encoded.asSlice(0, length), RecordDescriptor.KIND_BLOCK, NodeIdentity.topByte(family), (int) family, lpn,
                family);
    }

    /** How many segments the stream tells of. */
    int segmentCount() {
        return segmentCount;
    }

    /** Bytes of all its blocks. */
    long blockBytes() {
        return blockBytes;
    }

    long rootPpn() {
        return rootPpn;
    }

    long rootSalt() {
        return segments.salt(Ppn.segment(rootPpn));
    }

    int rootGeneration() {
        return segments.generation(Ppn.segment(rootPpn));
    }

    int rootCrc() {
        return rootCrc;
    }
}
