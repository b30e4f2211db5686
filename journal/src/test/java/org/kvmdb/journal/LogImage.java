package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.kvmdb.journal.simulation.RecordingDevice;

/** A store's bytes on the heap, to be damaged, and where its batches and superblocks lie. */
final class LogImage {

    /** A batch that looks right by its magic, wherever it is in the log. */
    record Batch(int position, int length, long sequence, long knownDurable, int segment, long salt, int flags, long nextSalt) {}

    private final byte[] bytes;

    LogImage(byte[] bytes) {
        this.bytes = bytes;
    }

    static LogImage of(Device device) {
        return new LogImage(new RecordingDevice(device).startImage());
    }

    byte[] bytes() {
        return bytes;
    }

    LogImage copy() {
        return new LogImage(bytes.clone());
    }

    MemorySegment segment() {
        return MemorySegment.ofArray(bytes);
    }

    MemoryDevice device() {
        return device(bytes.length);
    }

    MemoryDevice device(long lengthBytes) {
        return RecordingDevice.materialize(bytes, lengthBytes, List.of());
    }

    void flip(int position, int mask) {
        bytes[position] ^= (byte) mask;
    }

    /** The newest superblock. */
    Superblock superblock() {
        try (MemoryDevice device = device()) {
            return new SuperblockStore(device).read(true);
        }
    }

    /** The batches since the newest checkpoint's cut, in order. */
    List<Batch> log() {
        final Superblock superblock = superblock();
        final List<Batch> result = new ArrayList<>();
        for (int at = SuperblockDescriptor.SEGMENTS_OFFSET; at < bytes.length; at += BatchDescriptor.UNIT_BYTES) {
            final MemorySegment header = segment().asSlice(at);
            if (Fields.intAt(header, BatchDescriptor.MAGIC_OFFSET) == BatchDescriptor.MAGIC
                    && Fields.longAt(header, BatchDescriptor.STORE_ID_OFFSET) == superblock.storeId()
                    && Fields.longAt(header, BatchDescriptor.SEQUENCE_OFFSET) >= superblock.log().sequence()) {
                result.add(new Batch(
                        at,
                        Fields.intAt(header, BatchDescriptor.LENGTH_OFFSET),
                        Fields.longAt(header, BatchDescriptor.SEQUENCE_OFFSET),
                        Fields.longAt(header, BatchDescriptor.KNOWN_DURABLE_OFFSET),
                        Fields.intAt(header, BatchDescriptor.SEGMENT_OFFSET),
                        Fields.longAt(header, BatchDescriptor.SALT_OFFSET),
                        Fields.intAt(header, BatchDescriptor.FLAGS_OFFSET),
                        Fields.longAt(header, BatchDescriptor.NEXT_SALT_OFFSET)));
            }
        }
        result.sort(java.util.Comparator.comparingLong(Batch::sequence));
        return result;
    }

    /**
     * How far superblock and log say that the log was durable. Only batches count that are valid, in their place, and in a
     * segment of the identity that the superblock or a batch that counts leads to: a segment that is lost as a whole hides
     * those behind it.
     */
    long knownDurable() {
        final Superblock superblock = superblock();
        final List<Batch> valid = log().stream()
                .filter(batch -> isInPlace(batch, superblock.segmentSizeBytes()))
                .toList();
        final Set<Long> reached = new HashSet<>(Set.of(superblock.log().salt()));
        for (int before = 0; before != reached.size(); ) {
            before = reached.size();
            valid.stream()
                    .filter(batch -> reached.contains(batch.salt))
                    .forEach(batch -> reached.add(batch.nextSalt));
        }
        return valid.stream()
                .filter(batch -> reached.contains(batch.salt))
                .mapToLong(Batch::knownDurable)
                .reduce(Math.max(superblock.log().sequence() - 1, superblock.checkpointSequence()), Math::max);
    }

    private boolean isInPlace(Batch batch, int segmentSize) {
        final MemorySegment header = segment().asSlice(batch.position());
        final int recordsAt =
                BatchDescriptor.HEADER_LENGTH + Fields.intAt(header, BatchDescriptor.BLOCKS_LENGTH_OFFSET);
        final long recordsLength = Fields.intAt(header, BatchDescriptor.RECORDS_LENGTH_OFFSET);
        return batch.position()
                        == SegmentTable.position(batch.segment(), segmentSize)
                                + Fields.intAt(header, BatchDescriptor.OFFSET_OFFSET)
                && recordsAt >= 0
                && recordsLength >= 0
                && recordsAt + recordsLength <= header.byteSize()
                && new Digests().batchCrc(header, header.asSlice(recordsAt, recordsLength))
                        == Fields.intAt(header, BatchDescriptor.CRC_OFFSET);
    }

    /** Superblock and log, for who has to find out what became of a store. */
    @Override
    public String toString() {
        final StringBuilder text = new StringBuilder(superblock().toString());
        for (Batch batch : log()) {
            text.append(isInPlace(batch, superblock().segmentSizeBytes()) ? "\n" : "\nnot valid: ").append(batch);
        }
        return text.toString();
    }

    /** Makes the superblock copy in a slot valid again after its fields were changed. */
    void sealSuperblock(int slot) {
        final MemorySegment copy = native4k((int) SuperblockDescriptor.slotOffset(slot));
        Fields.putInt(
                segment(),
                SuperblockDescriptor.slotOffset(slot) + SuperblockDescriptor.CRC_OFFSET,
                new Digests().crc(copy.asSlice(0, SuperblockDescriptor.CRC_OFFSET)));
    }

    /** Makes a batch's checksum right again after its header or its records were changed. */
    void sealBatch(Batch batch) {
        final MemorySegment header = segment().asSlice(batch.position());
        final int recordsAt =
                BatchDescriptor.HEADER_LENGTH + Fields.intAt(header, BatchDescriptor.BLOCKS_LENGTH_OFFSET);
        final long recordsLength = Fields.intAt(header, BatchDescriptor.RECORDS_LENGTH_OFFSET);
        if (recordsAt >= 0 && recordsLength >= 0 && recordsAt + recordsLength <= header.byteSize()) {
            Fields.putInt(header, BatchDescriptor.CRC_OFFSET, new Digests()
                    .batchCrc(header, header.asSlice(recordsAt, recordsLength)));
        }
    }

    private MemorySegment native4k(int position) {
        return segment().asSlice(position, SuperblockDescriptor.LENGTH);
    }
}
