package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.SpaceAccount;

/**
 * Examines the blocks of a store in use: their holders, their total sizes, and their content on the disk. Unreadable
 * map nodes do not stop it; the pages beneath them are left out. Thread-safe. Its answers about the map hold only for
 * the moment of the call.
 */
public final class BlockSurvey implements BlockSource {

    /** Receives blocks that are own to a version. */
    @FunctionalInterface
    public interface Visitor {

        /**
         * @param owner role PAGE or MAP_NODE
         * @param ppn where it lies, which for a block that was moved is not what the map calls it
         */
        void block(BlockOwner owner, long lpn, long ppn);
    }

    /**
     * What was shown of a version.
     *
     * @param nextLpn where the next piece begins, or -1
     * @param parent the version's parent then
     */
    public record Piece(long nextLpn, Version parent) {}

    /** A node that a walk could not read. */
    private record BadNode(int level, long lpn, long ppn) {}

    private final Journal journal;
    private final JournalParts parts;
    private final Device device;
    private final SegmentTable segments;
    private final NodeArena arena;
    private final Catalog catalog;
    private final PageMap map;
    private final Counters counters;
    private final SpaceAccount space;
    private final MapWalk walk;
    private final BlockReferences references;
    private final List<BadNode> badNodes = new ArrayList<>();

    BlockSurvey(Journal journal, JournalParts parts, SpaceAccount space) {
        this.journal = journal;
        this.parts = parts;
        this.device = parts.device();
        this.segments = parts.segments();
        this.arena = parts.arena();
        this.catalog = parts.catalog();
        this.map = parts.map();
        this.counters = parts.counters();
        this.space = space;
        this.walk = new MapWalk(arena, new MapLoader(device, segments, arena, new LoadListener() {
            @Override
            public void badNode(Version version, int level, long lpn, long ppn, String wrong) {
                badNodes.add(new BadNode(level, lpn, ppn));
            }

            @Override
            public void badEntry(Version version, int level, long lpn, long ppn, long nodePpn) {}
        }));
        this.references = new BlockReferences(parts, walk);
    }

    // ---- who holds what ----

    /**
     * Shows blocks of pages and stored map nodes that are own to a version: over all of {@link Versions#all} each block of
     * the store once. A piece of about that many, in order of their LPN, nodes behind what is beneath them; a node that
     * could not be read is shown, too, and perhaps by several versions.
     */
    public Piece own(Version version, long fromLpn, int blocksMax, Visitor visitor) {
        return journal.look(() -> {
            badNodes.clear();
            final long next = walk.own(version, fromLpn, blocksMax, new Shown(version, visitor));
            for (BadNode bad : badNodes) {
                visitor.block(BlockOwner.nodes(version, bad.level), bad.lpn, segments.resolve(bad.ppn));
            }
            return new Piece(next, version.parent());
        });
    }

    private final class Shown implements MapWalk.Visitor {
        private final BlockOwner pages;
        private final Version version;
        private final Visitor visitor;
        private final Map<Integer, BlockOwner> nodes = new HashMap<>();

        Shown(Version version, Visitor visitor) {
            this.version = version;
            this.visitor = visitor;
            pages = BlockOwner.pages(version);
        }

        @Override
        public void page(long lpn, long ppn) {
            visitor.block(pages, lpn, segments.resolve(ppn));
        }

        @Override
        public void node(int level, long lpn, long entry) {
            final long ppn = storedAt(entry);
            if (ppn != 0) {
                visitor.block(nodes.computeIfAbsent(level, l -> BlockOwner.nodes(version, l)), lpn, ppn);
            }
        }
    }

    /** Where the last stored copy of a node lies, or 0. */
    private long storedAt(long entry) {
        return segments.resolve(arena.storedAt(entry));
    }

    /** Whether a version refers to a block that {@link #own} showed, and it lies there yet, so that it must be readable. */
    public boolean isCurrent(Version version, BlockOwner owner, long lpn, long ppn) {
        return journal.look(() -> catalog.findVersion(version.id()) == version
                && version.dropCursor() <= lpn
                && references.has(version, owner, lpn, ppn));
    }

    /** Versions that hold a block: the one that it is own to, and those that inherited it. In order of their ids. */
    public List<Version> holders(Version version, BlockOwner owner, long lpn, long ppn) {
        return journal.look(() -> references.ofFamily(version.familyId(), owner, lpn, ppn));
    }

    // ---- what it comes to ----

    /** Bytes of the segments and of the device. */
    public SegmentSpace segmentSpace() {
        return journal.look(() -> {
            final SegmentSpace.Sums sums = new SegmentSpace.Sums();
            for (int i = 0; i < segments.count(); i++) {
                sums.add(segments.state(i), segments.live(i), segments.stolen(i), segments.segmentSizeBytes(),
                        segments.medium(i) == SegmentTable.HOLE);
            }
            return sums.total(
                    dyingNodeBytes(), counters.metadataBytes, space.reservedBytes(), counters.reserveBytes,
                    space.availableBytes(), space.limitBytes(), device.sizeBytes(), device.allocatedBytes());
        });
    }

    /** Stored nodes that no version has any more, and that the next checkpoint lets go. */
    private long dyingNodeBytes() {
        long bytes = 0;
        for (int i = 0; i < map.deaths().size(); i++) {
            bytes += Ppn.lengthBytes(map.deaths().getLong(i));
        }
        return bytes;
    }

    /** Runs something while no checkpoint is under way; one that is due waits. */
    public <T> T betweenCheckpoints(Supplier<T> action) {
        return journal.betweenCheckpoints(action);
    }

    /** A number that stays the same as long as nothing is committed, deleted, checkpointed or cleaned. */
    public long change() {
        return journal.look(() -> counters.batches + counters.checkpoints + counters.droppedPieces); // each only grows
    }

    // ---- what is on the disk ----

    @Override
    public long position(long ppn) {
        return segments.position(Ppn.segment(ppn)) + Ppn.offsetBytes(ppn);
    }

    @Override
    public long read(long position, MemorySegment buffer) {
        return device.readDurable(position, buffer);
    }

    @Override
    public BlockVerifier newVerifier() {
        return new BlockVerifier(parts);
    }
}
