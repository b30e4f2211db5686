package org.kvmdb.journal;

import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * How much a checkpoint writes at worst, and what is kept free for checkpoints. In bytes of segments, with what is left unused at
 * their ends. Takes constant time, for each commit asks; under the append lock.
 *
 * <p>A map node's reserve is twice what it takes as a rule: a node of page shift 13 ends with 2 KiB of zeros. Metadata is written
 * anew by each checkpoint, and what it replaces comes back only when that is durable. So it is kept free three times, less what
 * the newest superblock reaches: for a checkpoint that succeeds, for one that the process does not survive, and for that of the
 * recovery. Whatever a checkpoint takes of it, it gives back with the segments of the one before.
 */
final class CheckpointSize {

    /** What a checkpoint and a recovery open beside what they write. */
    private static final int SEGMENTS_RESERVED = 3;

    private static final int METADATA_RESERVED = 3;

    /** Parts of the longest stream that are left to others: by new versions a 16th, by names of moved blocks an eighth. */
    private static final int ENTRIES_LEAVE = 16;

    private static final int NAMES_LEAVE = 8;

    /** By segments, which can be no fewer once they are there, a quarter. */
    private static final int SEGMENTS_LEAVE = 4;

    private final SegmentTable segments;
    private final NodeArena arena;
    private final Catalog catalog;
    private final StoreDictionary dictionary;
    private final Counters counters;

    CheckpointSize(
            SegmentTable segments, NodeArena arena, Catalog catalog, StoreDictionary dictionary, Counters counters) {
        this.segments = segments;
        this.arena = arena;
        this.catalog = catalog;
        this.dictionary = dictionary;
        this.counters = counters;
    }

    /** Length of the metadata stream that a checkpoint would write now. */
    long streamBytes() {
        return MetadataCodec.streamLength(
                catalog.entryBytes(), segments.count(), segments.remaps().count(), dictionary.storedBytes());
    }

    /** How far a store may grow: checkpoints list all its segments. */
    static long deviceBytesMax(int segmentSizeBytes) {
        final long stream = MetadataRootDescriptor.streamBytesMax(segmentSizeBytes);
        final long count = (stream - stream / SEGMENTS_LEAVE) / CatalogDescriptor.SEGMENT_LENGTH;
        return SuperblockDescriptor.SEGMENTS_OFFSET + count * segmentSizeBytes;
    }

    /** Throws STORE_FULL when the stream cannot grow by that much for new versions. */
    void checkEntriesFit(long streamBytesMore) {
        if (streamBytes() + streamBytesMore > streamBytesMax(ENTRIES_LEAVE)) {
            throw tooLong();
        }
    }

    /** Throws STORE_FULL when the stream is longer than one can be. */
    void checkStreamFits() {
        if (streamBytes() > MetadataRootDescriptor.streamBytesMax(segments.segmentSizeBytes())) {
            throw tooLong();
        }
    }

    /** Whether so many more blocks may be moved that keep their names. */
    boolean namesFit(int more) {
        return streamBytes() + (long) more * CatalogDescriptor.REMAP_LENGTH <= streamBytesMax(NAMES_LEAVE);
    }

    private long streamBytesMax(int partLeft) {
        final long max = MetadataRootDescriptor.streamBytesMax(segments.segmentSizeBytes());
        return max - max / partLeft;
    }

    private StorageException tooLong() {
        return new StorageException(
                ErrorCode.STORE_FULL,
                ("store full: its catalog takes %d bytes, %d at most with segments of %d bytes: %d of snapshots and volumes,"
                                + " %d of blocks that were moved under them; delete snapshots")
                        .formatted(
                                streamBytes(),
                                MetadataRootDescriptor.streamBytesMax(segments.segmentSizeBytes()),
                                segments.segmentSizeBytes(),
                                catalog.entryBytes(),
                                (long) segments.remaps().count() * CatalogDescriptor.REMAP_LENGTH));
    }

    /** What a checkpoint may write at worst beside map nodes. */
    long metadataBytes() {
        return metadataBytes(streamBytes());
    }

    /** The same without what is left unused around it. */
    long contentBytes() {
        return nodeBytes() + streamBytes();
    }

    private long nodeBytes() {
        return arena.dirtyCount() * Journal.NODE_RESERVE_BYTES;
    }

    private long metadataBytes(long streamBytes) {
        return MetadataWriter.bytesMax(streamBytes, segments.segmentSizeBytes());
    }

    /**
     * What is to be kept free.
     *
     * @param streamBytesMore what the stream is about to grow by
     */
    long reserveBytes(long streamBytesMore) {
        // One that is under way writes what there was when it began, whatever was deleted since.
        final long stream = Math.max(streamBytes(), counters.streamBytesAtCut) + streamBytesMore;
        final long metadata = metadataBytes(stream);
        return nodeBytes()
                + METADATA_RESERVED * metadata
                - Math.min(metadata, counters.metadataBytes)
                + (long) SEGMENTS_RESERVED * segments.segmentSizeBytes();
    }
}
