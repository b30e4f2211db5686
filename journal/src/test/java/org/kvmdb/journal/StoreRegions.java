package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.Ppn;

/** A store's image taken apart: which of its bytes are what, and what was written as one piece. */
final class StoreRegions {

    /** What bytes are. */
    enum Kind {
        SUPERBLOCK,
        BATCH_HEADER,
        RECORDS,
        MAP_NODE,
        METADATA,
        METADATA_ROOT,
        PAGE,
        /** Of batches before the place that the log is read from, or that are never read: what tells of their blocks. */
        DEAD,
        PADDING;

        boolean isMetadata() {
            return ordinal() < PAGE.ordinal();
        }
    }

    /** Bytes of one kind; or, of a piece, all that it holds. */
    record Region(String what, Kind kind, int position, int length) {}

    private final byte[] image;
    private final MemorySegment bytes;
    private final long storeId;
    private final long firstSequence;
    private final List<Region> regions = new ArrayList<>();
    private final List<Region> pieces = new ArrayList<>();

    StoreRegions(byte[] image) {
        this.image = image;
        bytes = MemorySegment.ofArray(image);
        storeId = new LogImage(image).superblock().storeId();
        firstSequence = new LogImage(image).superblock().log().sequence();
        for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
            addSuperblock((int) SuperblockDescriptor.slotOffset(slot));
        }
        int at = SuperblockDescriptor.SEGMENTS_OFFSET;
        while (at < image.length) {
            at += isBatch(at) ? addBatch(at) : BatchDescriptor.UNIT_BYTES;
        }
    }

    /** All bytes of superblocks and of what looks like batches, each once. */
    List<Region> regions() {
        return regions;
    }

    /** What is written as one: superblocks, batches; and the blocks within these. */
    List<Region> pieces() {
        return pieces;
    }

    private void addSuperblock(int at) {
        regions.add(new Region("superblock", Kind.SUPERBLOCK, at, SuperblockDescriptor.RESERVED_OFFSET));
        regions.add(new Region(
                "superblock padding", Kind.PADDING, at + SuperblockDescriptor.RESERVED_OFFSET,
                SuperblockDescriptor.CRC_OFFSET - SuperblockDescriptor.RESERVED_OFFSET));
        regions.add(new Region("superblock", Kind.SUPERBLOCK, at + SuperblockDescriptor.CRC_OFFSET, Integer.BYTES));
        pieces.add(new Region("superblock", Kind.SUPERBLOCK, at, SuperblockDescriptor.LENGTH));
    }

    private boolean isBatch(int at) {
        return Fields.intAt(bytes, at + BatchDescriptor.MAGIC_OFFSET) == BatchDescriptor.MAGIC
                && Fields.longAt(bytes, at + BatchDescriptor.STORE_ID_OFFSET) == storeId;
    }

    private int addBatch(int at) {
        final int length = Fields.intAt(bytes, at + BatchDescriptor.LENGTH_OFFSET);
        final int recordsAt = at
                + BatchDescriptor.HEADER_LENGTH
                + Fields.intAt(bytes, at + BatchDescriptor.BLOCKS_LENGTH_OFFSET);
        final int recordsEnd = recordsAt + Fields.intAt(bytes, at + BatchDescriptor.RECORDS_LENGTH_OFFSET);
        final boolean isDead = Fields.shortAt(bytes, at + BatchDescriptor.STREAM_OFFSET) != 0
                || Fields.longAt(bytes, at + BatchDescriptor.SEQUENCE_OFFSET) < firstSequence;
        addLive(isDead, new Region("batch header", Kind.BATCH_HEADER, at, BatchDescriptor.HEADER_LENGTH));
        for (int block = at + BatchDescriptor.HEADER_LENGTH; block < recordsAt; ) {
            block += addBlock(isDead, block);
        }
        addLive(isDead, new Region("records", Kind.RECORDS, recordsAt, recordsEnd - recordsAt));
        regions.add(new Region("batch padding", Kind.PADDING, recordsEnd, at + length - recordsEnd));
        pieces.add(new Region(nameOf(at), Kind.BATCH_HEADER, at, length));
        return length;
    }

    private String nameOf(int at) {
        if (Fields.shortAt(bytes, at + BatchDescriptor.STREAM_OFFSET) != 0) {
            return "moved blocks";
        }
        final int flags = Fields.intAt(bytes, at + BatchDescriptor.FLAGS_OFFSET);
        if ((flags & BatchDescriptor.FLAG_SEAL) != 0) {
            return "seal";
        }
        if ((flags & BatchDescriptor.FLAG_SEGMENT_END) != 0) {
            return "segment end";
        }
        if ((flags & BatchDescriptor.FLAG_STOLEN) != 0) {
            return "stolen pages";
        }
        return (flags & BatchDescriptor.FLAG_CHECKPOINT) != 0 ? "checkpoint" : "commit";
    }

    private void addLive(boolean isDead, Region region) {
        regions.add(
                isDead ? new Region(region.what + ", dead", Kind.DEAD, region.position, region.length) : region);
    }

    private int addBlock(boolean isDead, int at) {
        final int payload = Fields.intAt(bytes, at + BlockDescriptor.PAYLOAD_LENGTH_OFFSET);
        final int length = (int) Fields.alignUp(BlockDescriptor.HEADER_LENGTH + payload, Ppn.UNIT_BYTES);
        final Kind kind = switch (image[at + BlockDescriptor.TYPE_OFFSET]) {
            case BlockDescriptor.TYPE_PAGE -> Kind.PAGE;
            case BlockDescriptor.TYPE_MAP_NODE -> Kind.MAP_NODE;
            default -> isRoot(at) ? Kind.METADATA_ROOT : Kind.METADATA;
        };
        final Region block = new Region(kind.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' '), kind, at, length);
        addLive(isDead && (kind == Kind.METADATA || kind == Kind.METADATA_ROOT), block);
        pieces.add(block);
        return length;
    }

    /** Whether the newest superblock, or one before, names it: a root is the first thing that its own batch holds. */
    private boolean isRoot(int at) {
        for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
            final long slotAt = SuperblockDescriptor.slotOffset(slot);
            final long ppn = Fields.longAt(bytes, slotAt + SuperblockDescriptor.ROOT_PPN_OFFSET);
            final int segmentSize = Fields.intAt(bytes, slotAt + SuperblockDescriptor.SEGMENT_SIZE_OFFSET);
            if (SegmentTable.position(Ppn.segment(ppn), segmentSize) + Ppn.offsetBytes(ppn) == at) {
                return true;
            }
        }
        return false;
    }
}
