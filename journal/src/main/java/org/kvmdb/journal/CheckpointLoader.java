package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.Ppn;

/** Loads catalog, segment table and dictionary, to which a superblock refers. All input is considered hostile. */
final class CheckpointLoader {

    private final SegmentTable segments;
    private final Catalog catalog;
    private final BlockReader reader;
    private final StoreDictionary dictionary;
    private final LoadListener listener;
    private final Counters counters;

    CheckpointLoader(JournalParts parts, LoadListener listener) {
        this.segments = parts.segments();
        this.catalog = parts.catalog();
        this.dictionary = parts.dictionary();
        this.listener = listener;
        this.counters = parts.counters();
        reader = new BlockReader(parts);
    }

    void load(Superblock superblock) {
        try (Arena memory = Arena.ofConfined()) {
            final MemorySegment stream = readStream(superblock, memory);
            final List<MetadataCodec.VersionImage> images = new ArrayList<>();
            final long segmentsAt = MetadataCodec.decodeVersions(stream, images);
            if (Fields.intAt(stream, CatalogDescriptor.SEGMENT_COUNT_OFFSET) != superblock.segmentCount()) {
                throw Corrupt.store("superblock and segment table differ on the number of segments");
            }
            MetadataCodec.decodeSegments(stream, segmentsAt, segments);
            dictionary.load(MetadataCodec.dictionary(stream));
            new CatalogLoader(catalog).load(images, superblock.epoch());
            catalog.nextId(Math.max(catalog.nextId(), Fields.intAt(stream, CatalogDescriptor.NEXT_ID_OFFSET)));
        }
    }

    private MemorySegment readStream(Superblock superblock, Arena memory) {
        final int pageShift = MetadataRootDescriptor.pageShift(segments.segmentSizeBytes());
        final long family = MetadataRootDescriptor.family(superblock.generation());
        final MemorySegment root = memory.allocate(1L << pageShift, 64);
        readMetadata(
                superblock.rootPpn(), superblock.rootSalt(), superblock.rootGeneration(), superblock.rootCrc(),
                MetadataRootDescriptor.ROOT_LPN, family, root, pageShift);
        final long length = Fields.longAt(root, MetadataRootDescriptor.STREAM_LENGTH_OFFSET);
        final int count = Fields.intAt(root, MetadataRootDescriptor.BLOCK_COUNT_OFFSET);
        if (Fields.longAt(root, MetadataRootDescriptor.MAGIC_OFFSET) != MetadataRootDescriptor.MAGIC
                || count < 1
                || count > MetadataRootDescriptor.entriesMax(pageShift)
                || length <= (long) (count - 1) << pageShift
                || length > (long) count << pageShift) {
            throw Corrupt.store("metadata root is wrong: blocks=%d length=%d".formatted(count, length));
        }
        final MemorySegment stream = memory.allocate((long) count << pageShift, 64);
        for (int i = 0; i < count; i++) {
            final int entry = MetadataRootDescriptor.ENTRIES_OFFSET + i * MetadataRootDescriptor.ENTRY_LENGTH;
            readMetadata(
                    Fields.longAt(root, entry + MetadataRootDescriptor.ENTRY_PPN_OFFSET),
                    Fields.longAt(root, entry + MetadataRootDescriptor.ENTRY_SALT_OFFSET),
                    Fields.intAt(root, entry + MetadataRootDescriptor.ENTRY_GENERATION_OFFSET),
                    Fields.intAt(root, entry + MetadataRootDescriptor.ENTRY_CRC_OFFSET),
                    i, family, stream.asSlice((long) i << pageShift, 1L << pageShift), pageShift);
        }
        return stream.asSlice(0, length);
    }

    private void readMetadata(
            long ppn, long salt, int generation, int crc, long lpn, long family, MemorySegment page, int pageShift) {
        if (Ppn.lengthBytes(ppn) == 0 || Ppn.flags(ppn) != 0) {
            throw Corrupt.store("metadata block %d lies nowhere: %s".formatted(lpn, Ppn.toString(ppn)));
        }
        final String wrong =
                reader.read(ppn, salt, generation, BlockDescriptor.TYPE_METADATA, lpn, family, page, pageShift);
        if (wrong != null) {
            throw Corrupt.store("metadata block %d at %s: %s".formatted(lpn, Ppn.toString(ppn), wrong));
        }
        if (reader.lastCrc() != crc) {
            throw Corrupt.store("metadata block %d at %s is not the one referred to: expected=0x%08x actual=0x%08x"
                    .formatted(lpn, Ppn.toString(ppn), crc, reader.lastCrc()));
        }
        counters.metadataBytes += Ppn.lengthBytes(ppn);
        listener.metadata(lpn, ppn);
    }
}
