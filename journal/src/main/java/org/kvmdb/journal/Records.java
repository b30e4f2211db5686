package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.Ppn;

/** Walks the records of a batch that was read from the medium. */
final class Records {

    private Records() {}

    /** Shows the records one after the other through one cursor; throws when they do not fill the batch's record area. */
    static void forEach(ScannedBatch batch, Consumer<Entry> consumer) {
        final MemorySegment records = batch.records();
        final Entry entry = new Entry(records);
        long at = 0;
        for (int i = 0; i < batch.recordCount(); i++) {
            if (at + RecordDescriptor.LENGTH > records.byteSize()) {
                throw cutOff(batch);
            }
            entry.at = at;
            at += RecordDescriptor.LENGTH;
            if (RecordDescriptor.hasTail(entry.kind())) {
                at += RecordDescriptor.tailLengthPadded(entry.lengthField());
                if (at > records.byteSize()) {
                    throw cutOff(batch);
                }
            }
            consumer.accept(entry);
        }
        if (at != records.byteSize()) {
            throw cutOff(batch);
        }
    }

    private static RuntimeException cutOff(ScannedBatch batch) {
        return Corrupt.store("batch %d: %d records do not fill %d bytes"
                .formatted(batch.sequence(), batch.recordCount(), batch.records().byteSize()));
    }

    /** One record; valid during the call that shows it. */
    static final class Entry {
        private final MemorySegment records;
        private long at;

        private Entry(MemorySegment records) {
            this.records = records;
        }

        int kind() {
            return Fields.byteAt(records, at + RecordDescriptor.KIND_OFFSET);
        }

        int info() {
            return Fields.byteAt(records, at + RecordDescriptor.INFO_OFFSET);
        }

        private int lengthField() {
            return Fields.shortAt(records, at + RecordDescriptor.LENGTH_OFFSET);
        }

        int volume() {
            return Fields.intAt(records, at + RecordDescriptor.VOLUME_OFFSET);
        }

        long first() {
            return Fields.longAt(records, at + RecordDescriptor.FIRST_OFFSET);
        }

        long second() {
            return Fields.longAt(records, at + RecordDescriptor.SECOND_OFFSET);
        }

        /** SEGMENT, MOVE: the number in the tail. */
        long third() {
            checkTail(Long.BYTES);
            return Fields.longAt(records, at + RecordDescriptor.LENGTH);
        }

        /** PAGE, BLOCK: length of the block in bytes. */
        int blockLength() {
            return lengthField() * Ppn.UNIT_BYTES;
        }

        /** PAGE, BLOCK: offset of the block in its segment, in bytes. */
        int offsetBytes() {
            return Fields.intAt(records, at + RecordDescriptor.SECOND_OFFSET) * Ppn.UNIT_BYTES;
        }

        /**
         * PAGE, BLOCK: the PPN of the block, or 0 when there can be none: it must lie in the batch, between header and records, and
         * be no longer than a page can become.
         */
        long blockPpn(ScannedBatch batch) {
            final long offset = offsetBytes();
            final long length = blockLength();
            return length > 0
                            && length <= BlockEncoder.blockLengthMax(BlockDescriptor.PAGE_SHIFT_MAX)
                            && offset >= batch.offset() + BatchDescriptor.HEADER_LENGTH
                            && offset + length <= batch.offset() + batch.recordsOffset()
                    ? Ppn.pack(batch.segment(), (int) offset, (int) length)
                    : 0;
        }

        /** PAGE, BLOCK: checksum that the block carries. */
        int blockCrc() {
            return Fields.intAt(records, at + RecordDescriptor.BLOCK_CRC_OFFSET);
        }

        /** The name at the end of a tail, behind that many bytes of it. */
        String name(int offset) {
            checkTail(offset);
            return new String(
                    records.asSlice(at + RecordDescriptor.LENGTH + offset, lengthField() - offset)
                            .toArray(ValueLayout.JAVA_BYTE),
                    StandardCharsets.UTF_8);
        }

        /** A number in the tail. */
        int tailInt(int offset) {
            checkTail(offset + Integer.BYTES);
            return Fields.intAt(records, at + RecordDescriptor.LENGTH + offset);
        }

        private void checkTail(int lengthMin) {
            if (lengthField() < lengthMin) {
                throw Corrupt.store("a record of kind %d has a tail of %d bytes".formatted(kind(), lengthField()));
            }
        }
    }
}
