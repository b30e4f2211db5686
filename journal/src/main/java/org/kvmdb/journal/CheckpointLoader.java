package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;

/** Loads what a superblock refers to: catalog, segment table, all map nodes. Everything read is taken for hostile. */
final class CheckpointLoader {

    private static final int READ_BYTES = 1 << 20;

    private final Device device;
    private final SegmentTable segments;
    private final NodeArena arena;
    private final PageMap map;
    private final Catalog catalog;
    private final BlockReader reader;
    private final LoadListener listener;
    /** Where the last plausible locator lay. */
    private int segmentInUse = -1;

    private long windowStart;
    private long windowEnd;

    CheckpointLoader(JournalParts parts, LoadListener listener) {
        this.device = parts.device();
        this.segments = parts.segments();
        this.arena = parts.arena();
        this.map = parts.map();
        this.catalog = parts.catalog();
        this.listener = listener;
        reader = new BlockReader(device, segments);
    }

    void load(Superblock superblock) {
        try (Arena memory = Arena.ofConfined()) {
            final MemorySegment stream = readStream(superblock, memory);
            final List<MetadataCodec.VolumeImage> images = new ArrayList<>();
            final long segmentsAt = MetadataCodec.decodeVolumes(stream, images);
            if (Fields.intAt(stream, CatalogDescriptor.SEGMENT_COUNT_OFFSET) != superblock.segmentCount()) {
                throw Corrupt.store("superblock and segment table differ on the number of segments");
            }
            MetadataCodec.decodeSegments(stream, segmentsAt, segments);
            map.epoch((int) superblock.epoch());
            for (MetadataCodec.VolumeImage image : images) {
                addVolume(image);
            }
            catalog.nextId(Math.max(
                    catalog.nextId(), Fields.intAt(stream, CatalogDescriptor.NEXT_VOLUME_ID_OFFSET)));
            for (MetadataCodec.VolumeImage image : images) {
                loadNodes(catalog.volume(image.id()), image.rootPpn(), memory);
            }
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
        listener.metadata(lpn, ppn);
    }

    private void addVolume(MetadataCodec.VolumeImage image) {
        checkVolume(catalog, image.id(), image.name(), image.sizeBytes(), image.pageShift(), image.familyId());
        catalog.add(new VolumeEntry(
                image.id(), image.name(), image.sizeBytes(), image.pageShift(), image.familyId(), image.lsn()));
    }

    /** What must hold of a volume that is read from the medium. */
    static void checkVolume(Catalog catalog, int id, String name, long sizeBytes, int pageShift, long familyId) {
        final int nameLength = name.getBytes(StandardCharsets.UTF_8).length;
        if (id < 1
                || id == Integer.MAX_VALUE
                || catalog.find(id) != null
                || catalog.contains(name)
                || nameLength < 1
                || nameLength > RecordDescriptor.NAME_LENGTH_MAX
                || pageShift < BlockDescriptor.PAGE_SHIFT_MIN
                || pageShift > BlockDescriptor.PAGE_SHIFT_MAX
                || sizeBytes < 0
                || VolumeEntry.pageCount(sizeBytes, pageShift) > MapNodeDescriptor.LPN_LIMIT
                || !NodeIdentity.isVolumeFamily(familyId)) {
            throw Corrupt.store("volume is impossible: id=%d name=%s size=%d pageShift=%d family=0x%x"
                    .formatted(id, name, sizeBytes, pageShift, familyId));
        }
    }

    /** Loads a volume's tree, level by level, the nodes of a level in the order of their place. */
    private void loadNodes(VolumeEntry volume, long rootPpn, Arena memory) {
        final int root = map.newRoot();
        volume.mapRoot(root);
        if (rootPpn == 0) {
            return;
        }
        final MemorySegment window = memory.allocate(READ_BYTES, BatchDescriptor.UNIT_BYTES);
        long[][] level = {{rootPpn, 0, root}};
        for (int height = MapNodeDescriptor.HEIGHT - 1; height >= 0; height--) {
            Arrays.sort(level, (a, b) -> Long.compareUnsigned(a[0], b[0]));
            level = loadLevel(volume, height, level, window);
        }
    }

    /** Each node is given as PPN, first LPN, node index; returns those of the next level. */
    private long[][] loadLevel(VolumeEntry volume, int level, long[][] nodes, MemorySegment window) {
        final List<long[]> children = new ArrayList<>();
        windowStart = 0;
        windowEnd = 0;
        for (long[] node : nodes) {
            final int index = (int) node[2];
            final String wrong = loadNode(volume, level, node, window);
            if (wrong == null) {
                arena.markStored(index, node[0]);
                listener.node(volume, level, node[1], node[0]);
                checkEntries(volume, level, node, children);
            } else {
                arena.memory(index).fill((byte) 0);
                listener.badNode(volume, level, node[1], node[0], wrong);
            }
        }
        return children.toArray(long[][]::new);
    }

    /** Reads a node through the window that its neighbours were read with; null, or what is wrong. */
    private String loadNode(VolumeEntry volume, int level, long[] node, MemorySegment window) {
        final long ppn = node[0];
        final int length = Ppn.lengthBytes(ppn);
        if (!segments.isPlausible(ppn) || length > BlockEncoder.blockLengthMax(NodeIdentity.PAGE_SHIFT)) {
            return "no block can lie there";
        }
        final int segment = Ppn.segment(ppn);
        final long position = segments.position(segment) + Ppn.offsetBytes(ppn);
        if (position < windowStart || position + length > windowEnd) {
            windowStart = position;
            windowEnd = position + device.read(position, window);
            if (position + length > windowEnd) {
                return "device ends within the block";
            }
        }
        return reader.verify(
                window.asSlice(position - windowStart, length), segments.salt(segment), segments.generation(segment), ppn,
                BlockDescriptor.TYPE_MAP_NODE, node[1], NodeIdentity.family(volume.familyId(), level),
                arena.memory((int) node[2]), NodeIdentity.PAGE_SHIFT);
    }

    private void checkEntries(VolumeEntry volume, int level, long[] node, List<long[]> children) {
        final int index = (int) node[2];
        final MemorySegment entries = arena.memory(index);
        final long pages = volume.pageCount();
        for (int i = 0; i < MapNodeDescriptor.FANOUT; i++) {
            final long entry = entries.getAtIndex(ValueLayout.JAVA_LONG, i);
            if (entry == 0) {
                continue;
            }
            final long lpn = node[1] + ((long) i << NodeIdentity.shift(level));
            if (lpn >= pages || !isPlausible(entry)) {
                arena.putEntry(index, i, 0);
                listener.badEntry(volume, level, lpn, entry, node[0]);
            } else if (level > 0) {
                final int child = arena.allocate(map.epoch());
                arena.putEntry(index, i, MapNodeDescriptor.childEntry(child));
                children.add(new long[] {entry, lpn, child});
            }
        }
    }

    /** Neighbours mostly lie in one segment, whose state need not be looked at again. */
    private boolean isPlausible(long ppn) {
        if (!segments.fits(ppn)) {
            return false;
        }
        final int segment = Ppn.segment(ppn);
        if (segment != segmentInUse && segments.isInUse(segment)) {
            segmentInUse = segment;
        }
        return segment == segmentInUse;
    }
}
