package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.kvmdb.ffi.NativeMemory;
import org.kvmdb.ffi.Ppn;

/**
 * Reads batches from the medium and validates everything in them except the content of their blocks. It reads past the
 * operating system's cache, in windows. A scan over large batches uses only the windows that hold the records and the
 * header behind them.
 */
final class BatchParser implements AutoCloseable {

    private static final int WINDOW_BYTES = 2 * BatchDescriptor.LENGTH_MAX;
    private static final int UNIT = BatchDescriptor.UNIT_BYTES;
    private static final int READ_AHEAD_JUMP = 64 << 10;

    private final Device device;
    private final SegmentTable segments;
    private final long storeId;
    private final boolean anyStream;
    private final Digests digests = new Digests();
    private final MemorySegment headerCopy = Arena.ofAuto().allocate(BatchDescriptor.HEADER_LENGTH, Long.BYTES);
    private final NativeMemory windowMemory = NativeMemory.reserve(WINDOW_BYTES);
    private final MemorySegment window = windowMemory.segment();
    private long windowStart;
    private long windowEnd;
    private long viewEnd;

    /** Of the log's batches. */
    BatchParser(Device device, SegmentTable segments, long storeId) {
        this(device, segments, storeId, false);
    }

    private BatchParser(Device device, SegmentTable segments, long storeId, boolean anyStream) {
        this.device = device;
        this.segments = segments;
        this.storeId = storeId;
        this.anyStream = anyStream;
    }

    /** Of the log's batches and those that blocks were moved in. */
    static BatchParser ofAnyStream(Device device, SegmentTable segments, long storeId) {
        return new BatchParser(device, segments, storeId, true);
    }

    /** Lets go of what was read: it may have been written since. */
    void forget() {
        windowStart = 0;
        windowEnd = 0;
    }

    /** That part of a segment, valid until the next call; null where the device ends before. */
    MemorySegment view(int segment, int offset, int length) {
        final long from = segments.position(segment) + (offset & -UNIT);
        final long to = segments.position(segment) + Fields.alignUp(offset + length, UNIT);
        if (from < windowStart || to > windowEnd) {
            final long segmentEnd = segments.position(segment) + segments.segmentSizeBytes();
            // A jump over blocks, to the records behind them: so it goes on. A step to the neighbour: small batches.
            final boolean isJump = from > viewEnd && from - viewEnd > READ_AHEAD_JUMP;
            final long readAhead = isJump ? READ_AHEAD_JUMP : BatchDescriptor.LENGTH_MAX;
            final long wanted = Math.min(Math.max(to - from, readAhead), segmentEnd - from);
            windowStart = from;
            windowEnd = from; // nothing, if this throws
            windowEnd += WholeReads.readDurable(device, from, window.asSlice(0, wanted));
            if (to > windowEnd) {
                return null;
            }
        }
        viewEnd = to;
        return window.asSlice(segments.position(segment) + offset - windowStart, length);
    }

    /** As {@link #parse}; what is not there is read again: a read that was wrong once must not end the log. */
    ScannedBatch parseTwice(int segment, int generation, long salt, int offset) {
        final ScannedBatch batch = parse(segment, generation, salt, offset);
        if (batch != null) {
            return batch;
        }
        forget();
        return parse(segment, generation, salt, offset);
    }

    /** The batch that starts there, or null when none of this segment's generation does. */
    ScannedBatch parse(int segment, int generation, long salt, int offset) {
        final MemorySegment header = view(segment, offset, BatchDescriptor.HEADER_LENGTH);
        if (header == null || !isOurs(header, segment, generation, salt, offset)) {
            return null;
        }
        final MemorySegment copy = headerCopy;
        copy.copyFrom(header); // the window may move on to the records
        final int length = Fields.intAt(copy, BatchDescriptor.LENGTH_OFFSET);
        final int blocksLength = Fields.intAt(copy, BatchDescriptor.BLOCKS_LENGTH_OFFSET);
        final int recordsLength = Fields.intAt(copy, BatchDescriptor.RECORDS_LENGTH_OFFSET);
        if (!isLengthPossible(offset, length, blocksLength, recordsLength)) {
            return null;
        }
        final int recordsAt = BatchDescriptor.HEADER_LENGTH + blocksLength;
        final MemorySegment tail = view(segment, offset + recordsAt, length - recordsAt);
        if (tail == null) {
            return null;
        }
        final MemorySegment records = tail.asSlice(0, recordsLength);
        if (digests.batchCrc(copy, records) != Fields.intAt(copy, BatchDescriptor.CRC_OFFSET)
                || !Fields.isZero(tail, recordsLength, tail.byteSize() - recordsLength)) {
            return null;
        }
        return scanned(copy, records);
    }

    private boolean isOurs(MemorySegment header, int segment, int generation, long salt, int offset) {
        return Fields.intAt(header, BatchDescriptor.MAGIC_OFFSET) == BatchDescriptor.MAGIC
                && Fields.shortAt(header, BatchDescriptor.VERSION_OFFSET) == BatchDescriptor.VERSION
                && (anyStream || Fields.shortAt(header, BatchDescriptor.STREAM_OFFSET) == 0)
                && Fields.longAt(header, BatchDescriptor.STORE_ID_OFFSET) == storeId
                && Fields.intAt(header, BatchDescriptor.SEGMENT_OFFSET) == segment
                && Fields.intAt(header, BatchDescriptor.GENERATION_OFFSET) == generation
                && Fields.longAt(header, BatchDescriptor.SALT_OFFSET) == salt
                && Fields.intAt(header, BatchDescriptor.OFFSET_OFFSET) == offset
                && Fields.intAt(header, BatchDescriptor.RESERVED_OFFSET) == 0
                && (Fields.intAt(header, BatchDescriptor.FLAGS_OFFSET) & ~BatchDescriptor.FLAGS_KNOWN) == 0;
    }

    private boolean isLengthPossible(int offset, int length, int blocksLength, int recordsLength) {
        return length >= UNIT
                && length <= BatchDescriptor.LENGTH_MAX
                && offset + length <= segments.segmentSizeBytes()
                && blocksLength >= 0
                && blocksLength <= length
                && blocksLength % Ppn.UNIT_BYTES == 0
                && recordsLength >= 0
                && recordsLength <= length
                && Fields.alignUp((long) BatchDescriptor.HEADER_LENGTH + blocksLength + recordsLength, UNIT) == length;
    }

    private ScannedBatch scanned(MemorySegment header, MemorySegment records) {
        final long sequence = Fields.longAt(header, BatchDescriptor.SEQUENCE_OFFSET);
        final long firstSequence = Fields.longAt(header, BatchDescriptor.FIRST_SEQUENCE_OFFSET);
        final long knownDurable = Fields.longAt(header, BatchDescriptor.KNOWN_DURABLE_OFFSET);
        if (firstSequence > sequence || knownDurable >= sequence || sequence < 0) {
            throw Corrupt.store("batch %d contradicts itself: first=%d known durable=%d"
                    .formatted(sequence, firstSequence, knownDurable));
        }
        return new ScannedBatch(
                sequence,
                Fields.intAt(header, BatchDescriptor.SEGMENT_OFFSET),
                Fields.intAt(header, BatchDescriptor.OFFSET_OFFSET),
                Fields.intAt(header, BatchDescriptor.LENGTH_OFFSET),
                Fields.intAt(header, BatchDescriptor.FLAGS_OFFSET),
                firstSequence,
                knownDurable,
                Fields.longAt(header, BatchDescriptor.CHECKPOINT_GENERATION_OFFSET),
                Fields.longAt(header, BatchDescriptor.PREVIOUS_DIGEST_OFFSET),
                Fields.intAt(header, BatchDescriptor.BLOCKS_LENGTH_OFFSET),
                Fields.intAt(header, BatchDescriptor.RECORD_COUNT_OFFSET),
                Fields.intAt(header, BatchDescriptor.NEXT_SEGMENT_OFFSET),
                Fields.intAt(header, BatchDescriptor.NEXT_GENERATION_OFFSET),
                Fields.longAt(header, BatchDescriptor.NEXT_SALT_OFFSET),
                digests.batchDigest(header, records),
                Fields.longsOf(records),
                (int) records.byteSize());
    }

    @Override
    public void close() {
        windowMemory.close();
    }
}
