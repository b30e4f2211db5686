package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.OpenParts;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.SpaceAccount;
import org.kvmdb.ffi.StorageException;

/**
 * Opens a store for a check, without writing a byte, and continues where {@link Journal#open} would give up. It loads
 * the newest superblock's checkpoint and rolls it forward in memory over the log, as recovery does. It reports defects
 * to the listener and treats everything that depends on them as absent. Then it shows all blocks that are referred to.
 *
 * <p>One thread, except for the {@linkplain #newVerifier() verifiers}, of which each thread has its own.
 */
public final class JournalInspection implements BlockSource, AutoCloseable {

    private static final int METADATA_TOP_BYTE = 0xFF;

    private record Node(BlockOwner owner, long lpn, long ppn) {}

    private final Device device;
    private final Consumer<Defect> listener;
    private final List<Node> stored = new ArrayList<>();
    private final List<ScannedBatch> batches = new ArrayList<>();
    private Superblock superblock;
    private JournalParts parts;
    private final Listener maps = new Listener();
    private MapWalk walk;
    /** By where they lie. */
    private final Map<Long, Set<String>> holdersOfBadNodes = new HashMap<>();
    private final OpenParts opened = new OpenParts();
    private SpaceAccount space;
    private Recovery recovery;
    private int superblockCopies;
    private boolean readable;
    private boolean mapWhole = true;
    private long nodes;
    private long metadataBlocks;

    private JournalInspection(Device device, Consumer<Defect> listener) {
        opened.add(device, Device::close);
        this.device = device;
        this.listener = listener;
    }

    /**
     * Opens a store for inspection; the inspection then owns the device. Throws what is no damage: a wrong magic, a version
     * that is too old or too new, a device that cannot be read.
     *
     * @param listener is told of every defect, in this call and in {@link #checkBatches}
     */
    public static JournalInspection open(Device device, Consumer<Defect> listener) {
        final JournalInspection inspection = new JournalInspection(device, listener);
        try {
            inspection.load();
            return inspection;
        } catch (RuntimeException | Error e) {
            inspection.close();
            throw e;
        }
    }

    private void load() {
        final SuperblockStore superblocks = new SuperblockStore(device);
        if (!catching(Defect.Kind.SUPERBLOCK, () -> superblock = superblocks.read(true))) {
            inspectSlots(superblocks);
            return;
        }
        inspectSlots(superblocks);
        assemble(superblocks);
        readable = catching(Defect.Kind.METADATA, () -> new CheckpointLoader(parts, maps).load(superblock));
        if (!readable) {
            return;
        }
        parts.catalog().volumes().forEach(parts.map()::load);
        parts.catalog().versions().forEach(this::addNodes);
        parts.segments().extend();
        recovery = new Recovery(parts, superblock);
        mapWhole &= catching(Defect.Kind.LOG, () -> recovery.run(true));
        recovery.batches().stream().filter(JournalInspection::hasRecords).forEach(batches::add);
        if (logEnd().segment() < parts.segments().count()) {
            parts.segments().state(logEnd().segment(), SegmentState.OPEN);
        }
        if (mapWhole) {
            parts.catalog().versions().forEach(this::checkReferenced);
        }
    }

    /** Notes the stored map nodes that are own to a version, as the checkpoint has them. */
    private void addNodes(Version version) {
        final BlockOwner[] owners = new BlockOwner[MapNodeDescriptor.HEIGHT];
        for (int level = 0; level < owners.length; level++) {
            owners[level] = BlockOwner.nodes(version, level);
        }
        walk.own(version, 0, Integer.MAX_VALUE, new MapWalk.Visitor() {
            @Override
            public void page(long lpn, long ppn) {}

            @Override
            public void node(int level, long lpn, long entry) {
                final long ppn = parts.arena().storedAt(entry);
                // The place of a bad node is taken all the same, if there is such a place.
                if (parts.segments().isPlausible(ppn)) {
                    nodes++;
                    stored.add(new Node(owners[level], lpn, ppn));
                }
            }
        });
    }

    /** Recomputes what a version refers to: from what its parent does and the pages in which they differ. */
    private void checkReferenced(Version version) {
        if (version.isDeleted()) {
            return;
        }
        final Version parent = version.parent() == null || version.parent().dropCursor() > 0 ? null : version.parent();
        final long[] found = new long[2];
        if (parent != null) {
            found[0] = parent.referencedPages();
            found[1] = parent.referencedBytes();
        }
        walk.diff(parent, version, 0, Integer.MAX_VALUE, (lpn, oldPpn, newPpn) -> {
            found[0] += (newPpn == 0 ? 0 : 1) - (oldPpn == 0 ? 0 : 1);
            found[1] += Ppn.lengthBytes(newPpn) - Ppn.lengthBytes(oldPpn);
        });
        if (found[0] != version.referencedPages() || found[1] != version.referencedBytes()) {
            listener.accept(new Defect(
                    Defect.Kind.REFERENCED, 0, version.name(), -1, 0,
                    "refers to %d pages in %d bytes of blocks, its entry in the catalog says %d in %d".formatted(
                            found[0], found[1], version.referencedPages(), version.referencedBytes())));
        }
    }

    /** Runs a step; damage that it finds is a defect, and the answer is false. */
    private boolean catching(Defect.Kind kind, Runnable step) {
        try {
            step.run();
            return true;
        } catch (StorageException e) {
            if (e.code() != ErrorCode.CORRUPT_STORE) {
                throw e;
            }
            listener.accept(new Defect(kind, place(kind), null, -1, 0, e.getMessage()));
            return false;
        }
    }

    /** Where the log stops making sense, or where the metadata begin. */
    private long place(Defect.Kind kind) {
        if (kind == Defect.Kind.LOG) {
            final LogPosition at = logEnd();
            return parts.segments().position(at.segment()) + at.offset();
        }
        return kind == Defect.Kind.METADATA ? position(superblock.rootPpn()) : 0;
    }

    private LogPosition logEnd() {
        return recovery.end() == null ? superblock.log() : recovery.end();
    }

    /** Whether the records can be walked through; where not, recovery has said so. */
    private static boolean hasRecords(ScannedBatch batch) {
        try {
            Records.forEach(batch, entry -> {});
            return true;
        } catch (StorageException e) {
            return false;
        }
    }

    private void inspectSlots(SuperblockStore superblocks) {
        for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
            final String wrong = inspectSlot(superblocks, slot);
            if (wrong == null) {
                superblockCopies++;
            } else {
                listener.accept(new Defect(
                        Defect.Kind.SUPERBLOCK, SuperblockDescriptor.slotOffset(slot), null, -1, 0,
                        "copy in slot %d: %s".formatted(slot, wrong)));
            }
        }
    }

    private String inspectSlot(SuperblockStore superblocks, int slot) {
        final String wrong = superblocks.inspect(slot);
        if (wrong != null || superblock == null) {
            return wrong;
        }
        final long newest = superblock.generation();
        final long generation = superblocks.generation(slot);
        final boolean isNewestPair = slot % 2 == newest % 2;
        // The second copy of the newest generation may not have been reached yet: opening the store makes it.
        final boolean isExpected =
                isNewestPair ? generation == newest || generation == newest - 2 : generation == newest - 1;
        return isExpected
                ? null
                : "generation %d where %d must be".formatted(generation, isNewestPair ? newest : newest - 1);
    }

    private void assemble(SuperblockStore superblocks) {
        final int segmentSize = superblock.segmentSizeBytes();
        final long granted = Journal.grantedBytes(device, segmentSize);
        space = opened.add(
                new SpaceAccount(granted, Math.max(granted, superblock.endOfSegments()), segmentSize, segmentSize, -1),
                SpaceAccount::close);
        final SegmentTable segments = opened.add(new SegmentTable(device, segmentSize, space), SegmentTable::close);
        final NodeArena arena = opened.add(new NodeArena(), NodeArena::close);
        final MapLoader loader = new MapLoader(device, segments, arena, maps);
        walk = new MapWalk(arena, loader);
        final StoreDictionary dictionary = opened.add(new StoreDictionary(), StoreDictionary::close);
        parts = new JournalParts(
                device, segments, arena, new PageMap(arena, segments, loader), new Catalog(), dictionary, superblocks, null,
                new Counters(), new Failure());
    }

    /** Names of all versions that need what is damaged, as far as it is a page's block or a node. */
    public List<String> holders(Defect defect) {
        return switch (defect.kind()) {
            case PAGE -> {
                final BlockReferences references = new BlockReferences(parts, walk);
                yield parts.catalog().versions().stream()
                        .filter(version -> references.has(version, BlockOwner.pages(version), defect.lpn(), defect.ppn()))
                        .map(BlockOwner::nameOf)
                        .toList();
            }
            case MAP_NODE -> List.copyOf(holdersOfBadNodes.getOrDefault(defect.ppn(), Set.of()));
            default -> List.of();
        };
    }

    private final class Listener implements LoadListener {
        /** Walks may come to a bad node more than once. */
        private final Set<Long> reported = new HashSet<>();

        @Override
        public void metadata(long lpn, long ppn) {
            metadataBlocks++;
            stored.add(new Node(
                    new BlockOwner(
                            BlockOwner.Role.METADATA, null, -1, BlockDescriptor.TYPE_METADATA,
                            MetadataRootDescriptor.family(superblock.generation()),
                            MetadataRootDescriptor.pageShift(superblock.segmentSizeBytes())),
                    lpn, ppn));
        }

        @Override
        public void badNode(Version version, int level, long lpn, long ppn, String wrong) {
            mapWhole = false;
            holdersOfBadNodes.computeIfAbsent(ppn, key -> new LinkedHashSet<>()).add(BlockOwner.nameOf(version));
            if (!reported.add(ppn)) {
                return;
            }
            final long pages = Math.min(1L << NodeIdentity.shift(level + 1), version.pageCount() - lpn);
            listener.accept(new Defect(
                    Defect.Kind.MAP_NODE, position(ppn), version.name(), lpn, ppn,
                    "level %d, %d pages lost: %s".formatted(level, pages, wrong)));
        }

        @Override
        public void badEntry(Version version, int level, long lpn, long ppn, long nodePpn) {
            mapWhole = false;
            listener.accept(new Defect(
                    Defect.Kind.MAP_ENTRY, position(ppn), version.name(), lpn, ppn,
                    "no block can lie there, yet the map node at %s, level %d, refers to it"
                            .formatted(Ppn.toString(nodePpn), level)));
        }
    }

    // ---- what there is ----

    /** Whether catalog and segment table could be read: without them there is nothing else to show. */
    public boolean isReadable() {
        return readable;
    }

    /** Whether the whole map could be read and rolled forward. */
    public boolean isMapWhole() {
        return mapWhole;
    }

    /** Copies of the superblock that are as they must be, of four. */
    public int superblockCopies() {
        return superblockCopies;
    }

    /** Volumes as the log leaves them; empty when nothing is readable. */
    public List<VolumeEntry> volumes() {
        return readable ? parts.catalog().volumes() : List.of();
    }

    /** Snapshots as the log leaves them; empty when nothing is readable. */
    public List<SnapshotEntry> snapshots() {
        return readable ? parts.catalog().snapshots() : List.of();
    }

    /** Map nodes that were read. */
    public long nodes() {
        return nodes;
    }

    /** Blocks of catalog and segment table. */
    public long metadataBlocks() {
        return metadataBlocks;
    }

    /** Batches of the log since the checkpoint. */
    public long batches() {
        return batches.size();
    }

    /** Batches of a torn tail, which opening the store cuts off: no damage. */
    public long tornBatches() {
        return readable ? parts.counters().batchesCut : 0;
    }

    public long deviceBytes() {
        return device.sizeBytes();
    }

    /** What the device takes of the disk. */
    public long allocatedBytes() {
        return device.allocatedBytes();
    }

    public int segmentCount() {
        return readable ? parts.segments().count() : 0;
    }

    public int segmentSizeBytes() {
        return superblock == null ? 0 : superblock.segmentSizeBytes();
    }

    /** What the segment table says of the bytes of blocks in use. */
    public long liveBytes(int segment) {
        return parts.segments().live(segment);
    }

    /** Free segments that have their disk space as far as the last checkpoint knows. */
    public SegmentStatistics segments() {
        final SegmentTable table = parts.segments();
        final int free = table.countOf(SegmentState.FREE);
        int holes = 0;
        for (int i = 0; i < table.count(); i++) {
            if (table.state(i) == SegmentState.FREE && table.medium(i) == SegmentTable.HOLE) {
                holes++;
            }
        }
        return table.statistics(free - holes, holes, parts.counters());
    }

    /** Where a segment lies on the device. */
    public long segmentPosition(int segment) {
        return parts.segments().position(segment);
    }

    @Override
    public long position(long ppn) {
        return SegmentTable.position(Ppn.segment(ppn), superblock.segmentSizeBytes()) + Ppn.offsetBytes(ppn);
    }

    @Override
    public long read(long position, MemorySegment buffer) {
        return device.readDurable(position, buffer);
    }

    // ---- blocks ----

    /**
     * Shows all blocks that are referred to: those of all pages, as the log leaves them; map nodes and metadata of the
     * checkpoint, which were verified already; and those of the log's batches since. Not in any order.
     */
    public void forEachBlock(BlockVisitor visitor) {
        if (!readable) {
            return;
        }
        for (Node node : stored) {
            visitor.block(node.owner, node.lpn, parts.segments().resolve(node.ppn), 0);
        }
        for (Version version : parts.catalog().versions()) {
            final BlockOwner owner = BlockOwner.pages(version);
            walk.own(version, 0, Integer.MAX_VALUE, new MapWalk.Visitor() {
                @Override
                public void page(long lpn, long ppn) {
                    visitor.block(owner, lpn, parts.segments().resolve(ppn), 0);
                }

                @Override
                public void node(int level, long lpn, long entry) {}
            });
        }
        final Map<Long, BlockOwner> owners = new HashMap<>();
        for (ScannedBatch batch : batches) {
            forEachBlock(batch, owners, visitor);
        }
    }

    private void forEachBlock(ScannedBatch batch, Map<Long, BlockOwner> owners, BlockVisitor visitor) {
        Records.forEach(batch, entry -> {
            if (entry.kind() != RecordDescriptor.KIND_PAGE && entry.kind() != RecordDescriptor.KIND_BLOCK) {
                return;
            }
            final boolean isPage = entry.kind() == RecordDescriptor.KIND_PAGE;
            final Long family =
                    isPage ? recovery.family(entry.volume()) : (Long) NodeIdentity.family(entry.info(), entry.volume());
            final long ppn = entry.blockPpn(batch);
            if (family != null && ppn != 0) {
                final byte type = isPage
                        ? BlockDescriptor.TYPE_PAGE
                        : entry.info() == METADATA_TOP_BYTE
                                ? BlockDescriptor.TYPE_METADATA
                                : BlockDescriptor.TYPE_MAP_NODE;
                final BlockOwner owner = owners.computeIfAbsent(
                        family, key -> new BlockOwner(BlockOwner.Role.LOG, null, -1, type, key, 0));
                visitor.block(owner, entry.first(), ppn, entry.blockCrc());
            }
        });
    }

    /** Reports batches whose blocks do not fill the place between header and records. */
    public void checkBatches() {
        for (ScannedBatch batch : batches) {
            final int[] expected = {batch.offset() + BatchDescriptor.HEADER_LENGTH};
            final boolean[] good = {true};
            Records.forEach(batch, entry -> {
                if (entry.kind() == RecordDescriptor.KIND_PAGE || entry.kind() == RecordDescriptor.KIND_BLOCK) {
                    good[0] &= entry.offsetBytes() == expected[0] && entry.blockPpn(batch) != 0;
                    expected[0] += entry.blockLength();
                }
            });
            if (!good[0] || expected[0] != batch.offset() + batch.recordsOffset()) {
                listener.accept(new Defect(
                        Defect.Kind.LOG, parts.segments().position(batch.segment()) + batch.offset(), null, -1, 0,
                        "batch %d: its records do not tell of all its blocks".formatted(batch.sequence())));
            }
        }
    }

    @Override
    public BlockVerifier newVerifier() {
        return new BlockVerifier(parts);
    }

    @Override
    public void close() {
        opened.close();
    }
}
