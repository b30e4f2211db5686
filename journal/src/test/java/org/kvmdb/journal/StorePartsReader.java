package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;

/** Reads the parts of a store that is right, straight from its bytes, for {@link ForgedStore}. */
final class StorePartsReader implements AutoCloseable {

    private static final int HEADER = BlockDescriptor.HEADER_LENGTH;

    private final LogImage original;
    private final Superblock superblock;
    private final Map<Integer, long[]> identities;
    private final Arena arena = Arena.ofConfined();
    private final BlockSeal seal = new BlockSeal();
    private final byte[] root;
    private final byte[] catalog;
    private final Map<Long, Long> remaps = new LinkedHashMap<>();
    private final List<MetadataCodec.VersionImage> versions = new ArrayList<>();
    private final Map<ForgedStore.Placed, byte[]> nodes = new LinkedHashMap<>();
    private final Map<ForgedStore.Placed, byte[]> blocks = new LinkedHashMap<>();

    /** @param identities salt and generation of each segment */
    StorePartsReader(LogImage original, Superblock superblock, Map<Integer, long[]> identities) {
        this.original = original;
        this.superblock = superblock;
        this.identities = identities;
        root = metadata(
                superblock.rootPpn(), superblock.rootSalt(), superblock.rootGeneration(), MetadataRootDescriptor.ROOT_LPN);
        catalog = readCatalog();
        readRemaps(MetadataCodec.decodeVersions(MemorySegment.ofArray(catalog), versions));
        for (MetadataCodec.VersionImage version : versions) {
            if (version.rootPpn() != 0) {
                readNode(version, version.rootPpn(), PageMap.TOP, 0);
            }
        }
    }

    byte[] root() {
        return root;
    }

    byte[] catalog() {
        return catalog;
    }

    /** Each with its block's header and what it decodes to; what versions share is there once. */
    Map<ForgedStore.Placed, byte[]> nodes() {
        return nodes;
    }

    /** The first blocks of pages, as they are stored. */
    Map<ForgedStore.Placed, byte[]> blocks(int countMax) {
        final Map<ForgedStore.Placed, byte[]> result = new LinkedHashMap<>();
        final int every = Math.max(1, blocks.size() / countMax);
        int i = 0;
        for (Map.Entry<ForgedStore.Placed, byte[]> entry : blocks.entrySet()) {
            if (i++ % every == 0 && result.size() < countMax) {
                result.put(entry.getKey(), entry.getValue());
            }
        }
        return result;
    }

    private byte[] readCatalog() {
        final int shift = MetadataRootDescriptor.pageShift(superblock.segmentSizeBytes());
        final MemorySegment list = MemorySegment.ofArray(root);
        final int count = Fields.intAt(list, MetadataRootDescriptor.BLOCK_COUNT_OFFSET);
        final byte[] stream = new byte[count << shift];
        for (int i = 0; i < count; i++) {
            final long entry = MetadataRootDescriptor.ENTRIES_OFFSET + (long) i * MetadataRootDescriptor.ENTRY_LENGTH;
            final byte[] piece = metadata(
                    Fields.longAt(list, entry + MetadataRootDescriptor.ENTRY_PPN_OFFSET),
                    Fields.longAt(list, entry + MetadataRootDescriptor.ENTRY_SALT_OFFSET),
                    Fields.intAt(list, entry + MetadataRootDescriptor.ENTRY_GENERATION_OFFSET), i);
            System.arraycopy(piece, 0, stream, i << shift, piece.length);
        }
        return Arrays.copyOf(stream, (int) Fields.longAt(list, MetadataRootDescriptor.STREAM_LENGTH_OFFSET));
    }

    private byte[] metadata(long ppn, long salt, int generation, long lpn) {
        return decode(
                ppn, salt, generation, BlockDescriptor.TYPE_METADATA, lpn,
                MetadataRootDescriptor.family(superblock.generation()),
                MetadataRootDescriptor.pageShift(superblock.segmentSizeBytes()));
    }

    private void readRemaps(long segmentsAt) {
        final MemorySegment stream = MemorySegment.ofArray(catalog);
        long at = segmentsAt + (long) superblock.segmentCount() * CatalogDescriptor.SEGMENT_LENGTH + Long.BYTES;
        for (; at < catalog.length; at += CatalogDescriptor.REMAP_LENGTH) {
            remaps.put(
                    Fields.longAt(stream, at + CatalogDescriptor.REMAP_NAME_OFFSET),
                    Fields.longAt(stream, at + CatalogDescriptor.REMAP_TARGET_OFFSET));
        }
    }

    private void readNode(MetadataCodec.VersionImage version, long ppn, int level, long lpn) {
        final long place = remaps.getOrDefault(ppn, ppn);
        final ForgedStore.Placed node = new ForgedStore.Placed("", ppn, place, level, lpn, version.familyId());
        if (nodes.containsKey(node)) {
            return;
        }
        final byte[] raw = raw(place);
        final int shift = raw[BlockDescriptor.PAGE_SHIFT_OFFSET];
        final long[] identity = identities.get(Ppn.segment(place));
        final byte[] image = decode(
                place, identity[0], (int) identity[1], BlockDescriptor.TYPE_MAP_NODE, lpn,
                NodeIdentity.family(version.familyId(), level), shift);
        final byte[] part = Arrays.copyOf(raw, HEADER + image.length);
        System.arraycopy(image, 0, part, HEADER, image.length);
        nodes.put(node, part);
        for (int i = 0; i < MapNodeDescriptor.FANOUT; i++) {
            final long entry = Fields.longAt(MemorySegment.ofArray(image), (long) i * MapNodeDescriptor.ENTRY_LENGTH);
            final long childLpn = lpn + ((long) i << NodeIdentity.shift(level));
            if (entry != 0 && childLpn >= version.dropCursor() && level > 0) {
                readNode(version, entry, level - 1, childLpn);
            } else if (entry != 0 && childLpn >= version.dropCursor()) {
                final long at = remaps.getOrDefault(entry, entry);
                blocks.put(new ForgedStore.Placed("", entry, at, -1, childLpn, version.familyId()), raw(at));
            }
        }
    }

    private byte[] raw(long ppn) {
        final int at = (int) SegmentTable.position(Ppn.segment(ppn), superblock.segmentSizeBytes()) + Ppn.offsetBytes(ppn);
        return Arrays.copyOfRange(original.bytes(), at, at + Ppn.lengthBytes(ppn));
    }

    private byte[] decode(long ppn, long salt, int generation, byte type, long lpn, long family, int shift) {
        final MemorySegment block = arena.allocate(Ppn.lengthBytes(ppn), 64);
        block.copyFrom(MemorySegment.ofArray(raw(ppn)));
        final MemorySegment page = arena.allocate(1L << shift, 64);
        final String wrong =
                seal.decode(block, type, seal.crc(block, salt, generation, ppn, lpn, family), page, shift);
        if (wrong != null) {
            throw new AssertionError("the seed is not right: " + wrong);
        }
        return page.toArray(ValueLayout.JAVA_BYTE);
    }

    @Override
    public void close() {
        arena.close();
    }
}
