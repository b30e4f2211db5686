package org.kvmdb.journal;

import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.Ppn;

/** Walks the records of a batch that was read from the medium. */
final class Records {

    private Records() {}

    /** Shows the records one after the other through one cursor; throws when they do not fill the batch's record area. */
    static void forEach(ScannedBatch batch, Consumer<Entry> consumer) {
        final Entry entry = new Entry(batch.records());
        final int length = batch.recordsLength();
        int at = 0;
        for (int i = 0; i < batch.recordCount(); i++) {
            if (at + RecordDescriptor.LENGTH > length) {
                throw cutOff(batch);
            }
            entry.at = at;
            at += RecordDescriptor.LENGTH;
            if (RecordDescriptor.hasTail(entry.kind())) {
                at += RecordDescriptor.tailLengthPadded(entry.lengthField());
                if (at > length) {
                    throw cutOff(batch);
                }
            }
            consumer.accept(entry);
        }
        if (at != length) {
            throw cutOff(batch);
        }
    }

    private static RuntimeException cutOff(ScannedBatch batch) {
        return Corrupt.store("batch %d: %d records do not fill %d bytes"
                .formatted(batch.sequence(), batch.recordCount(), batch.recordsLength()));
    }

    /** One record; valid during the call that shows it. */
    static final class Entry {
        private final long[] records;
        private int at;

        private Entry(long[] records) {
            this.records = records;
        }

        /** What begins at an offset, and what follows up to the next multiple of 8 above it. */
        private long field(int offset) {
            final int from = at + offset;
            return records[from >>> 3] >>> ((from & 7) << 3);
        }

        int kind() {
            return (int) field(RecordDescriptor.KIND_OFFSET) & 0xFF;
        }

        int info() {
            return (int) field(RecordDescriptor.INFO_OFFSET) & 0xFF;
        }

        private int lengthField() {
            return (int) field(RecordDescriptor.LENGTH_OFFSET) & 0xFFFF;
        }

        int volume() {
            return (int) field(RecordDescriptor.VOLUME_OFFSET);
        }

        long first() {
            return field(RecordDescriptor.FIRST_OFFSET);
        }

        long second() {
            return field(RecordDescriptor.SECOND_OFFSET);
        }

        /** SEGMENT, MOVE: the number in the tail. */
        long third() {
            checkTail(Long.BYTES);
            return field(RecordDescriptor.LENGTH);
        }

        /** PAGE, BLOCK: length of the block in bytes. */
        int blockLength() {
            return lengthField() * Ppn.UNIT_BYTES;
        }

        /** PAGE, BLOCK: offset of the block in its segment, in bytes. */
        int offsetBytes() {
            return (int) field(RecordDescriptor.SECOND_OFFSET) * Ppn.UNIT_BYTES;
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
            return (int) field(RecordDescriptor.BLOCK_CRC_OFFSET);
        }

        /** The name at the end of a tail, behind that many bytes of it. */
        String name(int offset) {
            checkTail(offset);
            final byte[] name = new byte[lengthField() - offset];
            for (int i = 0; i < name.length; i++) {
                name[i] = (byte) field(RecordDescriptor.LENGTH + offset + i);
            }
            return new String(name, StandardCharsets.UTF_8);
        }

        /** A number in the tail. */
        int tailInt(int offset) {
            checkTail(offset + Integer.BYTES);
            return (int) field(RecordDescriptor.LENGTH + offset);
        }

        private void checkTail(int lengthMin) {
            if (lengthField() < lengthMin) {
                throw Corrupt.store("a record of kind %d has a tail of %d bytes".formatted(kind(), lengthField()));
            }
        }
    }
}
