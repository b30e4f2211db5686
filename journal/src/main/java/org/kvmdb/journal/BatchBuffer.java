package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.NativeMemory;
import org.kvmdb.ffi.Ppn;

/**
 * A batch under construction. Blocks and records are collected separately, and joined when the batch is finished.
 * Blocks get their checksum here, because their place is not known earlier. One thread.
 */
final class BatchBuffer implements AutoCloseable {

    /** Where a batch will lie, and what its blocks are sealed with. */
    record Place(int segment, int generation, long salt, int offset) {}

    private final BlockSeal seal = new BlockSeal();
    private final Digests digests = new Digests();
    private final NativeMemory memory;
    private final MemorySegment buffer;
    private final MemorySegment records;
    private int blocksLength;
    private int recordsLength;
    private int recordCount;
    private int lastBlockCrc;

    /** @param lengthMax of a batch, and of the records of one */
    BatchBuffer(int lengthMax) {
        memory = NativeMemory.reserve(2L * lengthMax);
        buffer = memory.segment().asSlice(0, lengthMax);
        records = memory.segment().asSlice(lengthMax, lengthMax);
    }

    void clear() {
        blocksLength = 0;
        recordsLength = 0;
        recordCount = 0;
    }

    int recordCount() {
        return recordCount;
    }

    /** What the batch would take if it were finished now. */
    int length() {
        return (int) Fields.alignUp(
                (long) BatchDescriptor.HEADER_LENGTH + blocksLength + recordsLength, BatchDescriptor.UNIT_BYTES);
    }

    /** The CRC of the block that was added last. */
    int lastBlockCrc() {
        return lastBlockCrc;
    }

    /** Whether a block and records of these lengths fit beside what there is, in a batch of at most that length. */
    boolean fits(int batchLengthMax, int blockLength, int recordLength) {
        return BatchDescriptor.HEADER_LENGTH + blocksLength + blockLength + recordsLength + recordLength
                <= Math.min(batchLengthMax, buffer.byteSize());
    }

    /** Where the next block of that length would lie. */
    long nextPpn(Place place, int blockLength) {
        return Ppn.pack(place.segment, place.offset + BatchDescriptor.HEADER_LENGTH + blocksLength, blockLength);
    }

    /** Adds a block and the record that tells of it; returns where it lies. */
    long addBlock(Place place, MemorySegment block, int kind, int info, int volume, long lpn, long family) {
        final int length = (int) block.byteSize();
        final int at = BatchDescriptor.HEADER_LENGTH + blocksLength;
        final long ppn = nextPpn(place, length);
        final MemorySegment target = buffer.asSlice(at, length);
        MemorySegment.copy(block, 0, target, 0, length);
        lastBlockCrc = seal.crc(target, place.salt, place.generation, ppn, lpn, family);
        Fields.putInt(target, BlockDescriptor.CRC_OFFSET, lastBlockCrc);
        blocksLength += length;
        addRecord(kind, info, length / Ppn.UNIT_BYTES, volume, lpn,
                Integer.toUnsignedLong((place.offset + at) / Ppn.UNIT_BYTES) | (long) lastBlockCrc << Integer.SIZE);
        return ppn;
    }

    void addRecord(int kind, int info, int length, int volume, long first, long second) {
        final int at = recordsLength;
        Fields.putByte(records, at + RecordDescriptor.KIND_OFFSET, kind);
        Fields.putByte(records, at + RecordDescriptor.INFO_OFFSET, info);
        Fields.putShort(records, at + RecordDescriptor.LENGTH_OFFSET, length);
        Fields.putInt(records, at + RecordDescriptor.VOLUME_OFFSET, volume);
        Fields.putLong(records, at + RecordDescriptor.FIRST_OFFSET, first);
        Fields.putLong(records, at + RecordDescriptor.SECOND_OFFSET, second);
        recordsLength += RecordDescriptor.LENGTH;
        recordCount++;
    }

    /** Adds bytes behind the last record, with zeros to that length. */
    void addTail(byte[] bytes, int paddedLength) {
        records.asSlice(recordsLength, paddedLength).fill((byte) 0);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, records, recordsLength, bytes.length);
        recordsLength += paddedLength;
    }

    /** Adds a number behind the last record. */
    void addTail(long value) {
        Fields.putLong(records, recordsLength, value);
        recordsLength += Long.BYTES;
    }

    /** The header, for the fields that this does not know; {@link #finish} sets the others. */
    MemorySegment header() {
        return buffer.asSlice(0, BatchDescriptor.HEADER_LENGTH);
    }

    /** Completes the batch and returns all of it. */
    MemorySegment finish(Place place, int stream, int flags, long storeId) {
        final int recordsAt = BatchDescriptor.HEADER_LENGTH + blocksLength;
        final int end = recordsAt + recordsLength;
        final int length = length();
        MemorySegment.copy(records, 0, buffer, recordsAt, recordsLength);
        buffer.asSlice(end, length - end).fill((byte) 0);
        final MemorySegment header = buffer;
        Fields.putInt(header, BatchDescriptor.MAGIC_OFFSET, BatchDescriptor.MAGIC);
        Fields.putShort(header, BatchDescriptor.VERSION_OFFSET, BatchDescriptor.VERSION);
        Fields.putShort(header, BatchDescriptor.STREAM_OFFSET, stream);
        Fields.putInt(header, BatchDescriptor.FLAGS_OFFSET, flags);
        Fields.putLong(header, BatchDescriptor.STORE_ID_OFFSET, storeId);
        Fields.putInt(header, BatchDescriptor.SEGMENT_OFFSET, place.segment);
        Fields.putInt(header, BatchDescriptor.GENERATION_OFFSET, place.generation);
        Fields.putLong(header, BatchDescriptor.SALT_OFFSET, place.salt);
        Fields.putInt(header, BatchDescriptor.LENGTH_OFFSET, length);
        Fields.putInt(header, BatchDescriptor.RECORD_COUNT_OFFSET, recordCount);
        Fields.putInt(header, BatchDescriptor.RECORDS_LENGTH_OFFSET, recordsLength);
        Fields.putInt(header, BatchDescriptor.BLOCKS_LENGTH_OFFSET, blocksLength);
        Fields.putInt(header, BatchDescriptor.OFFSET_OFFSET, place.offset);
        Fields.putInt(header, BatchDescriptor.RESERVED_OFFSET, 0);
        Fields.putInt(buffer, BatchDescriptor.CRC_OFFSET, digests.batchCrc(buffer, finishedRecords()));
        return buffer.asSlice(0, length);
    }

    /** The digest of the finished batch. */
    long digest() {
        return digests.batchDigest(buffer, finishedRecords());
    }

    private MemorySegment finishedRecords() {
        return buffer.asSlice(BatchDescriptor.HEADER_LENGTH + blocksLength, recordsLength);
    }

    @Override
    public void close() {
        memory.close();
    }
}
