package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.journal.fuzz.Edit;

/**
 * A store taken apart, to be put together again with lies in it: superblocks, metadata root, metadata stream, map nodes, page
 * blocks and batches of the log are parts that can be edited, and everything that was made over them is made right:
 * checksums, seals, digests, references and the live bytes of segments. What an edit set to something else itself stays as it
 * set it. What changes its length is written to segments that were added at the end of the store for that.
 *
 * <p>Parts, by name: {@code superblock/SLOT}, {@code root/0}, {@code catalog/0} (the stream), {@code node/N} (header of the block, then
 * what it decodes to), {@code block/N} (as stored), {@code batch/N} (header, then records), {@code file/0} (the file itself, at the end).
 */
final class ForgedStore {

    static final String SUPERBLOCK = "superblock/";
    static final String ROOT = "root/0";
    static final String CATALOG = "catalog/0";
    static final String NODE = "node/";
    static final String BLOCK = "block/";
    static final String BATCH = "batch/";
    static final String FILE = "file/0";

    private static final int SEGMENTS_ADDED = 2;
    private static final int BLOCKS_MAX = 24;
    private static final int HEADER = BlockDescriptor.HEADER_LENGTH;

    /** A map node or a page's block: where it lies, what it is sealed with. */
    record Placed(String name, long ppn, long place, int level, long lpn, long family) {}

    /** @param records length of its records as it was */
    record Logged(String name, int position, int length, int blocks, int records) {}

    private final byte[] image;
    private final Superblock superblock;
    private final int segmentSize;
    private final int metadataShift;
    private final Map<String, byte[]> parts = new LinkedHashMap<>();
    private final List<Placed> nodes = new ArrayList<>();
    private final List<Placed> blocks = new ArrayList<>();
    private final List<Logged> batches = new ArrayList<>();
    private final Map<Integer, long[]> identities = new HashMap<>();
    private long versionsEnd;
    /** Where blocks can be put, in the segments that were added. */
    private int room;

    private ForgedStore(LogImage original) {
        superblock = original.superblock();
        segmentSize = superblock.segmentSizeBytes();
        metadataShift = MetadataRootDescriptor.pageShift(segmentSize);
        final int end = (int) superblock.endOfSegments();
        image = Arrays.copyOf(original.bytes(), end + SEGMENTS_ADDED * segmentSize);
        noteIdentities(original);
        try (StorePartsReader reader = new StorePartsReader(original, superblock, identities)) {
            for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
                parts.put(SUPERBLOCK + slot, range((int) SuperblockDescriptor.slotOffset(slot), SuperblockDescriptor.LENGTH));
            }
            parts.put(ROOT, reader.root());
            parts.put(CATALOG, reader.catalog());
            reader.nodes().forEach((placed, bytes) -> put(NODE, nodes, placed, bytes));
            reader.blocks(BLOCKS_MAX).forEach((placed, bytes) -> put(BLOCK, blocks, placed, bytes));
        }
        addBatches(original);
        addSegments();
    }

    /** Takes a store apart; the image is that of one that was not closed, or was. */
    static ForgedStore of(LogImage original) {
        final ForgedStore store = new ForgedStore(original);
        // From here on the metadata lie where there is room: what is made over them is what is compared with.
        final Forging base = store.new Forging(List.of());
        base.forceMetadata();
        base.seal();
        final byte[] bytes = base.device.get(0, store.image.length);
        System.arraycopy(bytes, 0, store.image, 0, bytes.length);
        store.parts.putAll(base.parts);
        store.room = base.next;
        return store;
    }

    private void noteIdentities(LogImage original) {
        try (Journal journal = Journal.open(original.device(), JournalOptions.defaults().withReadOnly(true)
                .withMaxSizeBytes(superblock.endOfSegments()))) {
            final SegmentTable segments = journal.parts().segments();
            for (int i = 0; i < segments.count(); i++) {
                identities.put(i, new long[] {segments.salt(i), segments.generation(i)});
            }
        }
    }

    private void put(String kind, List<Placed> list, Placed placed, byte[] bytes) {
        final String name = kind + list.size();
        list.add(new Placed(name, placed.ppn, placed.place, placed.level, placed.lpn, placed.family));
        parts.put(name, bytes);
    }

    private byte[] range(int from, int length) {
        return Arrays.copyOfRange(image, from, from + length);
    }

    private void addBatches(LogImage original) {
        for (LogImage.Batch batch : original.log()) {
            final MemorySegment header = MemorySegment.ofArray(image).asSlice(batch.position());
            final int blocksLength = Fields.intAt(header, BatchDescriptor.BLOCKS_LENGTH_OFFSET);
            final int recordsLength = Fields.intAt(header, BatchDescriptor.RECORDS_LENGTH_OFFSET);
            final byte[] part = Arrays.copyOf(
                    range(batch.position(), BatchDescriptor.HEADER_LENGTH), BatchDescriptor.HEADER_LENGTH + recordsLength);
            System.arraycopy(
                    image, batch.position() + BatchDescriptor.HEADER_LENGTH + blocksLength, part,
                    BatchDescriptor.HEADER_LENGTH, recordsLength);
            final String name = BATCH + batches.size();
            batches.add(new Logged(name, batch.position(), batch.length(), blocksLength, recordsLength));
            parts.put(name, part);
        }
    }

    /** Two segments more in the table, in use, with nothing in them yet. */
    private void addSegments() {
        final int count = superblock.segmentCount();
        final byte[] stream = parts.get(CATALOG);
        final MemorySegment before = MemorySegment.ofArray(stream);
        versionsEnd = MetadataCodec.decodeVersions(before, new ArrayList<>());
        final int at = (int) (versionsEnd + (long) count * CatalogDescriptor.SEGMENT_LENGTH);
        final byte[] longer = new byte[stream.length + SEGMENTS_ADDED * CatalogDescriptor.SEGMENT_LENGTH];
        System.arraycopy(stream, 0, longer, 0, at);
        System.arraycopy(stream, at, longer, at + SEGMENTS_ADDED * CatalogDescriptor.SEGMENT_LENGTH, stream.length - at);
        final MemorySegment after = MemorySegment.ofArray(longer);
        Fields.putInt(after, CatalogDescriptor.SEGMENT_COUNT_OFFSET, count + SEGMENTS_ADDED);
        for (int i = 0; i < SEGMENTS_ADDED; i++) {
            final MemorySegment record = after.asSlice(at + (long) i * CatalogDescriptor.SEGMENT_LENGTH);
            identities.put(count + i, new long[] {0x5A17L + i, 1});
            Fields.putLong(record, CatalogDescriptor.SEGMENT_DEVICE_OFFSET_OFFSET, SegmentTable.position(count + i, segmentSize));
            Fields.putLong(record, CatalogDescriptor.SEGMENT_SALT_OFFSET, 0x5A17L + i);
            Fields.putInt(record, CatalogDescriptor.SEGMENT_GENERATION_OFFSET, 1);
            Fields.putByte(record, CatalogDescriptor.SEGMENT_COPIES_OFFSET, 1);
            Fields.putByte(record, CatalogDescriptor.SEGMENT_STATE_OFFSET, SegmentState.FULL.ordinal());
            Fields.putInt(record, CatalogDescriptor.SEGMENT_WRITTEN_OFFSET, SegmentTable.WRITTEN);
        }
        parts.put(CATALOG, longer);
        for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
            Fields.putInt(part(SUPERBLOCK + slot), SuperblockDescriptor.SEGMENT_COUNT_OFFSET, count + SEGMENTS_ADDED);
        }
    }

    // ---- what there is ----

    /** The parts by name; nobody changes them. */
    Map<String, byte[]> parts() {
        return parts;
    }

    MemorySegment part(String name) {
        return MemorySegment.ofArray(parts.get(name));
    }

    List<Placed> nodes() {
        return nodes;
    }

    List<Placed> blocks() {
        return blocks;
    }

    List<Logged> batches() {
        return batches;
    }

    Superblock superblock() {
        return superblock;
    }

    int length() {
        return image.length;
    }

    /** Where the segment records begin in the stream. */
    long segmentsAt() {
        return versionsEnd;
    }

    /** A store with the parts edited. */
    HeapDevice forge(List<Edit> program) {
        final Forging forging = new Forging(program);
        forging.seal();
        forging.editFile(program);
        return forging.device;
    }

    /** One putting together. */
    private final class Forging {
        private final HeapDevice device = new HeapDevice(image);
        private final Map<String, byte[]> parts = new TreeMap<>(ForgedStore.this.parts);
        private final Map<Long, Long> moved = new HashMap<>();
        private final Digests digests = new Digests();
        private final BlockSeal seal = new BlockSeal();
        private int next = room;
        private boolean isMetadataForced;

        Forging(List<Edit> program) {
            Edit.apply(program, parts);
        }

        void forceMetadata() {
            isMetadataForced = true;
        }

        private boolean isChanged(String name) {
            return parts.get(name) != ForgedStore.this.parts.get(name);
        }

        private MemorySegment seg(String name) {
            return MemorySegment.ofArray(parts.get(name));
        }

        void seal() {
            try (Arena arena = Arena.ofConfined()) {
                for (Placed block : blocks) {
                    if (isChanged(block.name)) {
                        sealBlock(block, arena);
                    }
                }
                for (int level = 0; level < MapNodeDescriptor.HEIGHT; level++) {
                    for (Placed node : nodes) {
                        if (node.level == level) {
                            sealNode(node, arena);
                        }
                    }
                }
                sealBatches();
                sealMetadata(arena);
                sealSuperblocks();
            }
        }

        // ---- blocks ----

        private void sealBlock(Placed block, Arena arena) {
            final int length = Ppn.lengthBytes(block.place);
            final byte[] bytes = Arrays.copyOf(parts.get(block.name), length);
            final int crc = crcOf(bytes, block.place, block.lpn, block.family, arena);
            final MemorySegment header = MemorySegment.ofArray(bytes);
            Fields.putInt(header, BlockDescriptor.CRC_OFFSET, crc);
            device.put(positionOf(block.place), bytes);
            for (Logged batch : batches) {
                nameInRecord(batch, block.place, crc);
            }
        }

        private int crcOf(byte[] block, long ppn, long lpn, long family, Arena arena) {
            final long[] identity = identities.get(Ppn.segment(ppn));
            final MemorySegment memory = arena.allocate(block.length, 64);
            memory.copyFrom(MemorySegment.ofArray(block));
            return seal.crc(memory, identity[0], (int) identity[1], ppn, lpn, family);
        }

        private void nameInRecord(Logged batch, long ppn, int crc) {
            final MemorySegment before = part(batch.name);
            if (positionOf(ppn) < batch.position || positionOf(ppn) >= batch.position + batch.length) {
                return;
            }
            for (int at = BatchDescriptor.HEADER_LENGTH; at + RecordDescriptor.LENGTH <= before.byteSize(); at += 8) {
                if (Fields.byteAt(before, at) == RecordDescriptor.KIND_PAGE
                        && Fields.intAt(before, at + RecordDescriptor.SECOND_OFFSET) * Ppn.UNIT_BYTES
                                == Ppn.offsetBytes(ppn)) {
                    putUnlessEdited(batch.name, at + RecordDescriptor.BLOCK_CRC_OFFSET, Integer.BYTES, crc);
                }
            }
        }

        /** A field that nobody edited is made right. */
        private void putUnlessEdited(String name, long at, int width, long value) {
            final byte[] before = ForgedStore.this.parts.get(name);
            byte[] now = parts.get(name);
            if (at + width > now.length || at + width > before.length
                    || !Arrays.equals(now, (int) at, (int) at + width, before, (int) at, (int) at + width)) {
                return;
            }
            now = now.clone();
            for (int i = 0; i < width; i++) {
                now[(int) at + i] = (byte) (value >>> 8 * i);
            }
            parts.put(name, now);
        }

        // ---- nodes ----

        private void sealNode(Placed node, Arena arena) {
            final byte[] before = ForgedStore.this.parts.get(node.name);
            if (node.level > 0) {
                for (int i = 0; i < MapNodeDescriptor.FANOUT; i++) {
                    final long at = HEADER + (long) i * MapNodeDescriptor.ENTRY_LENGTH;
                    final Long place = moved.get(Fields.longAt(MemorySegment.ofArray(before), at));
                    if (place != null) {
                        putUnlessEdited(node.name, at, Long.BYTES, place);
                    }
                }
            }
            if (!isChanged(node.name)) {
                return;
            }
            final byte[] bytes = parts.get(node.name);
            final int shift = bytes.length > HEADER + (1 << StoredNode.SHORT_SHIFT) ? StoredNode.LONG_SHIFT : StoredNode.SHORT_SHIFT;
            final byte[] padded = Arrays.copyOf(bytes, HEADER + (1 << shift));
            final byte[] encoded = encode(padded, shift, BlockDescriptor.TYPE_MAP_NODE, arena);
            // The header says what the edits made it say, but for what the encoding decides.
            System.arraycopy(padded, BlockDescriptor.TYPE_OFFSET, encoded, BlockDescriptor.TYPE_OFFSET, HEADER - BlockDescriptor.TYPE_OFFSET);
            final long ppn = place(encoded, node.lpn, NodeIdentity.family(node.family, node.level), arena);
            moved.put(node.ppn, ppn);
            addLive(Ppn.segment(node.place), -Ppn.lengthBytes(node.place));
            addLive(Ppn.segment(ppn), encoded.length);
        }

        private byte[] encode(byte[] part, int shift, byte type, Arena arena) {
            final MemorySegment page = arena.allocate(1L << shift, 64);
            MemorySegment.copy(part, HEADER, page, ValueLayout.JAVA_BYTE, 0, 1 << shift);
            final MemorySegment target = arena.allocate(BlockEncoder.destinationLength(shift), 64);
            final int length = BlockEncoder.encode(page, shift, type, 0, target);
            return target.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
        }

        /** Seals a block in the room there is, and returns where. */
        private long place(byte[] block, long lpn, long family, Arena arena) {
            if (next / segmentSize != (next + block.length) / segmentSize) {
                next = (next / segmentSize + 1) * segmentSize;
            }
            if (next % segmentSize == 0) {
                next += BatchDescriptor.HEADER_LENGTH;
            }
            final int segment = superblock.segmentCount() + next / segmentSize;
            if (next / segmentSize >= SEGMENTS_ADDED) {
                throw new IllegalStateException("no more room for forged blocks");
            }
            final long ppn = Ppn.pack(segment, next % segmentSize, block.length);
            final MemorySegment header = MemorySegment.ofArray(block);
            Fields.putInt(header, BlockDescriptor.CRC_OFFSET, crcOf(block, ppn, lpn, family, arena));
            device.put(positionOf(ppn), block);
            next += block.length;
            return ppn;
        }

        private void addLive(int segment, int bytes) {
            final long at = versionsEnd + (long) segment * CatalogDescriptor.SEGMENT_LENGTH
                    + CatalogDescriptor.SEGMENT_LIVE_OFFSET;
            final byte[] stream = parts.get(CATALOG);
            if (stream.length == ForgedStore.this.parts.get(CATALOG).length) {
                final byte[] changed = stream.clone();
                final MemorySegment target = MemorySegment.ofArray(changed);
                Fields.putInt(target, at, Fields.intAt(target, at) + bytes);
                parts.put(CATALOG, changed);
            }
        }

        // ---- metadata ----

        private void sealMetadata(Arena arena) {
            final List<MetadataCodec.VersionImage> versions = new ArrayList<>();
            MetadataCodec.decodeVersions(part(CATALOG), versions);
            long at = CatalogDescriptor.HEADER_LENGTH;
            for (MetadataCodec.VersionImage version : versions) {
                final Long place = moved.get(version.rootPpn());
                if (place != null) {
                    putUnlessEdited(CATALOG, at + CatalogDescriptor.ENTRY_ROOT_OFFSET, Long.BYTES, place);
                }
                at += MetadataCodec.VersionImage.length(version.name());
            }
            final long generation = generation();
            if (!isMetadataForced && !isChanged(CATALOG) && !isChanged(ROOT) && generation == superblock.generation()) {
                return;
            }
            final long family = MetadataRootDescriptor.family(generation);
            final byte[] stream = parts.get(CATALOG);
            final int pieces = Math.max(1, (stream.length + (1 << metadataShift) - 1) >>> metadataShift);
            if (isMetadataForced || stream.length != ForgedStore.this.parts.get(CATALOG).length) {
                putUnlessEdited(ROOT, MetadataRootDescriptor.STREAM_LENGTH_OFFSET, Long.BYTES, stream.length);
                putUnlessEdited(ROOT, MetadataRootDescriptor.BLOCK_COUNT_OFFSET, Integer.BYTES, pieces);
            }
            for (int i = 0; i < pieces; i++) {
                final byte[] piece = new byte[HEADER + (1 << metadataShift)];
                final int from = Math.min(stream.length, i << metadataShift);
                System.arraycopy(stream, from, piece, HEADER, Math.min(1 << metadataShift, stream.length - from));
                final byte[] block = encode(piece, metadataShift, BlockDescriptor.TYPE_METADATA, arena);
                final long ppn = place(block, i, family, arena);
                final int entry = MetadataRootDescriptor.ENTRIES_OFFSET + i * MetadataRootDescriptor.ENTRY_LENGTH;
                refer(ROOT, entry + MetadataRootDescriptor.ENTRY_PPN_OFFSET,
                        entry + MetadataRootDescriptor.ENTRY_SALT_OFFSET,
                        entry + MetadataRootDescriptor.ENTRY_GENERATION_OFFSET,
                        entry + MetadataRootDescriptor.ENTRY_CRC_OFFSET, ppn, block);
            }
            final byte[] root = new byte[HEADER + (1 << metadataShift)];
            System.arraycopy(parts.get(ROOT), 0, root, HEADER, Math.min(1 << metadataShift, parts.get(ROOT).length));
            final byte[] block = encode(root, metadataShift, BlockDescriptor.TYPE_METADATA, arena);
            final long ppn = place(block, MetadataRootDescriptor.ROOT_LPN, family, arena);
            for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
                if (generationIn(SUPERBLOCK + slot) == generation) {
                    refer(SUPERBLOCK + slot, SuperblockDescriptor.ROOT_PPN_OFFSET, SuperblockDescriptor.ROOT_SALT_OFFSET,
                            SuperblockDescriptor.ROOT_GENERATION_OFFSET, SuperblockDescriptor.ROOT_CRC_OFFSET, ppn, block);
                }
            }
        }

        private void refer(String name, int ppnAt, int saltAt, int generationAt, int crcAt, long ppn, byte[] block) {
            final long[] identity = identities.get(Ppn.segment(ppn));
            putUnlessEdited(name, ppnAt, Long.BYTES, ppn);
            putUnlessEdited(name, saltAt, Long.BYTES, identity[0]);
            putUnlessEdited(name, generationAt, Integer.BYTES, identity[1]);
            putUnlessEdited(name, crcAt, Integer.BYTES, Fields.intAt(MemorySegment.ofArray(block), BlockDescriptor.CRC_OFFSET));
        }

        private long generationIn(String slot) {
            final byte[] bytes = parts.get(slot);
            return bytes.length < SuperblockDescriptor.LENGTH
                    ? 0
                    : Fields.longAt(MemorySegment.ofArray(bytes), SuperblockDescriptor.GENERATION_OFFSET);
        }

        /** That of the newest copy, as the edits left them. */
        private long generation() {
            long newest = 0;
            for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
                newest = Math.max(newest, generationIn(SUPERBLOCK + slot));
            }
            return newest;
        }

        private void sealSuperblocks() {
            for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
                final String name = SUPERBLOCK + slot;
                if (!isChanged(name) && !isMetadataForced) {
                    continue;
                }
                final byte[] copy = Arrays.copyOf(parts.get(name), SuperblockDescriptor.LENGTH);
                parts.put(name, copy);
                putUnlessEdited(name, SuperblockDescriptor.CRC_OFFSET, Integer.BYTES,
                        digests.crc(seg(name).asSlice(0, SuperblockDescriptor.CRC_OFFSET)));
                device.put(SuperblockDescriptor.slotOffset(slot), parts.get(name));
            }
        }

        // ---- log ----

        private void sealBatches() {
            Long digest = null;
            for (Logged batch : batches) {
                if (digest != null) {
                    putUnlessEdited(batch.name, BatchDescriptor.PREVIOUS_DIGEST_OFFSET, Long.BYTES, digest);
                }
                if (isChanged(batch.name)) {
                    digest = sealBatch(batch);
                } else {
                    digest = null; // what follows refers to it as it is
                }
            }
        }

        /** Returns its digest. */
        private long sealBatch(Logged batch) {
            if (parts.get(batch.name).length < BatchDescriptor.HEADER_LENGTH) {
                parts.put(batch.name, Arrays.copyOf(parts.get(batch.name), BatchDescriptor.HEADER_LENGTH));
            }
            int records = parts.get(batch.name).length - BatchDescriptor.HEADER_LENGTH;
            final int room = roomOf(batch) - BatchDescriptor.HEADER_LENGTH - batch.blocks;
            if (records > room) {
                parts.put(batch.name, Arrays.copyOf(parts.get(batch.name), BatchDescriptor.HEADER_LENGTH + room));
                records = room;
            }
            if (records != batch.records) {
                putUnlessEdited(batch.name, BatchDescriptor.RECORDS_LENGTH_OFFSET, Integer.BYTES, records);
                putUnlessEdited(batch.name, BatchDescriptor.RECORD_COUNT_OFFSET, Integer.BYTES, countRecords(batch.name));
                putUnlessEdited(batch.name, BatchDescriptor.LENGTH_OFFSET, Integer.BYTES, Fields.alignUp(
                        BatchDescriptor.HEADER_LENGTH + batch.blocks + records, BatchDescriptor.UNIT_BYTES));
            }
            final MemorySegment part = seg(batch.name);
            final MemorySegment hashed = part.asSlice(BatchDescriptor.HEADER_LENGTH, hashedRecords(part, records));
            putUnlessEdited(batch.name, BatchDescriptor.CRC_OFFSET, Integer.BYTES, digests.batchCrc(part, hashed));
            final byte[] bytes = parts.get(batch.name);
            device.put(batch.position, Arrays.copyOf(bytes, BatchDescriptor.HEADER_LENGTH));
            final int end = Math.max(batch.length, (int) Fields.alignUp(
                    BatchDescriptor.HEADER_LENGTH + batch.blocks + records, BatchDescriptor.UNIT_BYTES));
            final int recordsAt = BatchDescriptor.HEADER_LENGTH + batch.blocks;
            final byte[] tail = new byte[end - recordsAt];
            System.arraycopy(bytes, BatchDescriptor.HEADER_LENGTH, tail, 0, records);
            device.put(batch.position + recordsAt, tail);
            return digests.batchDigest(MemorySegment.ofArray(bytes), hashed);
        }

        /** What a reader takes for the records: as many bytes as the header says, of those there are. */
        private int hashedRecords(MemorySegment part, int records) {
            final int said = Fields.intAt(part, BatchDescriptor.RECORDS_LENGTH_OFFSET);
            return said >= 0 && said <= records ? said : records;
        }

        /** A batch can grow to its end; the last one to that of its segment, but for the place of the batch that ends that. */
        private int roomOf(Logged batch) {
            final int at = (batch.position - SuperblockDescriptor.SEGMENTS_OFFSET) % segmentSize;
            return batch == batches.getLast()
                    ? Math.max(batch.length, segmentSize - BatchDescriptor.UNIT_BYTES - at)
                    : batch.length;
        }

        private int countRecords(String name) {
            final MemorySegment part = seg(name);
            int count = 0;
            for (long at = BatchDescriptor.HEADER_LENGTH; at + RecordDescriptor.LENGTH <= part.byteSize(); count++) {
                final int kind = Fields.byteAt(part, at);
                at += RecordDescriptor.LENGTH
                        + (RecordDescriptor.hasTail(kind)
                                ? RecordDescriptor.tailLengthPadded(Fields.shortAt(part, at + RecordDescriptor.LENGTH_OFFSET))
                                : 0);
            }
            return count;
        }

        // ---- the file ----

        void editFile(List<Edit> program) {
            for (Edit edit : program) {
                if (!edit.place().equals(FILE)) {
                    continue;
                }
                if (edit.op() == Edit.Op.CUT) {
                    device.resize(edit.at());
                } else if (edit.at() + Math.max(1, edit.width()) <= device.sizeBytes() && edit.width() <= segmentSize) {
                    final int length = Math.max(Long.BYTES, edit.width());
                    final Map<String, byte[]> one = new HashMap<>(Map.of(FILE, device.get(edit.at(), length)));
                    Edit.apply(List.of(new Edit(edit.op(), FILE, 0, edit.width(), edit.value(), "", 0)), one);
                    device.put(edit.at(), Arrays.copyOf(one.get(FILE), length));
                }
            }
        }
    }

    private long positionOf(long ppn) {
        return SegmentTable.position(Ppn.segment(ppn), segmentSize) + Ppn.offsetBytes(ppn);
    }
}
