package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.agrona.collections.IntArrayList;
import org.agrona.collections.Long2LongHashMap;
import org.agrona.collections.LongArrayList;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;

/**
 * One checkpoint. In order: <b>cut</b> under the append lock (the map is frozen, the log's position noted); <b>nodes</b>:
 * dirty frozen nodes are encoded outside the lock and appended in pieces, children before parents, while commits go on;
 * <b>end</b> under the lock: catalog, segment table and dictionary, flush, both superblock copies flushed one after the other, and
 * only then is freed what the old superblock reached and the new one does not.
 */
final class Checkpointer {

    private static final int PIECE_NODES_MAX = 192;
    private static final int LEVELS = MapNodeDescriptor.HEIGHT;

    private final ReentrantLock lock;
    private final LogWriter log;
    private final PageMap map;
    private final NodeArena arena;
    private final SegmentTable segments;
    private final Catalog catalog;
    private final StoreDictionary dictionary;
    private final CheckpointSize size;
    private final SuperblockStore superblocks;
    private final Counters counters;
    private final Failure failure;
    private final Superblock base;

    /** Versions at the cut, their images, and the roots of those whose maps were in memory, held; 0 for the others. */
    private List<Version> versions;

    private final List<MetadataCodec.VersionImage> cutImages = new ArrayList<>();
    private int[] roots;
    private int nextId;
    private int epoch;
    private long recordsBeforeCut;
    private LogPosition cut;
    private LongArrayList deaths;
    private int[] live;
    private long[][] remaps;
    private boolean[] candidates;
    private final IntArrayList[] nodes = new IntArrayList[LEVELS];
    private final LongArrayList[] lpns = new LongArrayList[LEVELS];
    private final LongArrayList[] families = new LongArrayList[LEVELS];

    Checkpointer(JournalParts parts, ReentrantLock lock, Superblock base) {
        this.lock = lock;
        this.log = parts.log();
        this.map = parts.map();
        this.arena = parts.arena();
        this.segments = parts.segments();
        this.catalog = parts.catalog();
        this.dictionary = parts.dictionary();
        this.size = parts.checkpointSize();
        this.superblocks = parts.superblocks();
        this.counters = parts.counters();
        this.failure = parts.failure();
        this.base = base;
        for (int i = 0; i < LEVELS; i++) {
            nodes[i] = new IntArrayList();
            lpns[i] = new LongArrayList();
            families[i] = new LongArrayList();
        }
    }

    /** Runs it and returns the new superblock. Throws STORE_FULL before it writes metadata when that may not fit. */
    Superblock run() {
        return run(true);
    }

    /**
     * The same in a store that is being opened: it tries whatever room there is. When that does not suffice nothing is lost, for
     * the log still ends where it did, and whoever opens the store next finds the same segments free.
     */
    Superblock runAtOpening() {
        return run(false);
    }

    private Superblock run(boolean mustFit) {
        begin();
        try (Arena scratch = Arena.ofConfined()) {
            storeNodes(scratch);
            lock.lock();
            try {
                checkRoom(mustFit);
                return end(scratch);
            } finally {
                lock.unlock();
            }
        } catch (StorageException e) {
            if (e.code() != ErrorCode.STORE_FULL || failure.isFailed()) {
                throw failure.fail(e);
            }
            giveUp();
            throw e;
        } catch (RuntimeException e) {
            throw failure.fail(e);
        } catch (Error e) {
            throw failure.end(e);
        }
    }

    void begin() {
        lock.lock();
        try {
            failure.check();
            cut();
        } catch (Error e) {
            throw failure.end(e);
        } finally {
            lock.unlock();
        }
    }

    /** Nothing durable refers to them yet. */
    void storeNodes(Arena scratch) {
        for (int i = 0; i < roots.length; i++) {
            if (roots[i] != 0) {
                collect(roots[i], LEVELS - 1, 0, cutImages.get(i));
            }
        }
        writeNodes(scratch);
    }

    /**
     * Whether the metadata fits. If that were found out half way there would be less room for the next one, and for what makes room. Map
     * nodes are not lost in that case: they are stored, and the next checkpoint finds them so.
     */
    private void checkRoom(boolean mustFit) {
        size.checkStreamFits();
        if (!mustFit || isRoom()) {
            return;
        }
        dictionary.withdraw();
        if (!isRoom()) {
            throw log.storeFull();
        }
    }

    /** One segment more, since metadata begins where what is before it ends; the log may have it reserved. */
    private boolean isRoom() {
        final int more = log.reservedSegment() == BatchDescriptor.NO_SEGMENT ? segments.segmentSizeBytes() : 0;
        return segments.free().ensure(size.metadataBytes() + more);
    }

    /** No room: nothing durable refers to what was written; the next checkpoint does it again. */
    private void giveUp() {
        lock.lock();
        try {
            log.abandonGroup();
            map.restoreDeaths(deaths);
            dictionary.withdraw();
            letGo();
            counters.streamBytesAtCut = 0;
            counters.recordsSinceCheckpoint += recordsBeforeCut;
        } finally {
            lock.unlock();
        }
    }

    private void cut() {
        cut = log.position();
        counters.streamBytesAtCut = size.streamBytes();
        deaths = map.cut();
        live = segments.liveCopy();
        remaps = segments.remaps().cut();
        candidates = new boolean[live.length];
        for (int i = 0; i < live.length; i++) {
            candidates[i] = segments.state(i) == SegmentState.FULL && segments.stolen(i) == 0;
        }
        nextId = catalog.nextId();
        epoch = catalog.epoch();
        versions = catalog.versions();
        roots = new int[versions.size()];
        for (int i = 0; i < roots.length; i++) {
            final Version version = versions.get(i);
            roots[i] = version.mapRoot();
            if (roots[i] != 0) {
                arena.hold(roots[i]);
            }
            cutImages.add(MetadataCodec.VersionImage.of(version));
        }
        recordsBeforeCut = counters.recordsSinceCheckpoint;
        counters.recordsSinceCheckpoint = 0;
        counters.batchesSinceCheckpoint = 0;
        counters.writtenBytesAtCut = counters.writtenBytes;
    }

    /** Nodes that versions share are collected with the first of them; what a deletion has passed is left out. */
    private void collect(int node, int level, long base, MetadataCodec.VersionImage version) {
        if (!arena.isDirty(node) || !arena.markCollected(node)) {
            return; // not dirty: then nothing beneath it is dirty either
        }
        for (int index = 0; level > 0 && index < MapNodeDescriptor.FANOUT; index++) {
            final long entry = arena.entry(node, index);
            final long lpn = base + ((long) index << NodeIdentity.shift(level));
            if (MapNodeDescriptor.isInMemory(entry) && lpn + (1L << NodeIdentity.shift(level)) > version.dropCursor()) {
                collect(MapNodeDescriptor.childNode(entry), level - 1, lpn, version);
            }
        }
        nodes[level].addInt(node);
        lpns[level].addLong(base);
        families[level].addLong(version.familyId());
    }

    private void writeNodes(Arena scratch) {
        final MemorySegment image = scratch.allocate(1 << StoredNode.LONG_SHIFT, 64);
        final int capacity = BlockEncoder.destinationLength(StoredNode.LONG_SHIFT);
        final int most = Arrays.stream(nodes).mapToInt(IntArrayList::size).max().orElse(0);
        final MemorySegment encoded = scratch.allocate((long) Math.min(PIECE_NODES_MAX, most) * capacity, 64);
        final int[] lengths = new int[PIECE_NODES_MAX];
        for (int level = 0; level < LEVELS; level++) {
            for (int from = 0; from < nodes[level].size(); from += PIECE_NODES_MAX) {
                final int count = Math.min(PIECE_NODES_MAX, nodes[level].size() - from);
                for (int i = 0; i < count; i++) {
                    final int node = nodes[level].getInt(from + i);
                    final int shift = StoredNode.toImage(arena, node, level, image);
                    lengths[i] = BlockEncoder.encode(
                            image, shift, BlockDescriptor.TYPE_MAP_NODE, arena.birth(node),
                            encoded.asSlice((long) i * capacity, capacity));
                }
                appendNodes(level, from, count, encoded, capacity, lengths);
            }
        }
    }

    private void appendNodes(int level, int from, int count, MemorySegment encoded, int capacity, int[] lengths) {
        lock.lock();
        try {
            final long before = counters.writtenBytes;
            log.beginGroup(SpaceClaim.CHECKPOINT);
            for (int i = 0; i < count; i++) {
                final int node = nodes[level].getInt(from + i);
                final long lpn = lpns[level].getLong(from + i);
                final long family = NodeIdentity.family(families[level].getLong(from + i), level);
                final long ppn = log.block(
                        encoded.asSlice((long) i * capacity, lengths[i]), RecordDescriptor.KIND_BLOCK,
                        NodeIdentity.topByte(family), (int) family, lpn, family);
                if (arena.ppn(node) != 0) {
                    deaths.addLong(arena.ppn(node));
                }
                arena.markStored(node, ppn, NodeIdentity.packed(families[level].getLong(from + i), level, lpn));
                segments.addLive(ppn);
                segments.addNewNode(ppn);
                growLive();
                live[Ppn.segment(ppn)] += Ppn.lengthBytes(ppn);
            }
            log.endGroup(BatchDescriptor.FLAG_CHECKPOINT);
            counters.checkpointBytes += counters.writtenBytes - before;
        } finally {
            lock.unlock();
        }
    }

    private void growLive() {
        if (live.length < segments.count()) {
            live = Arrays.copyOf(live, segments.count());
            candidates = Arrays.copyOf(candidates, segments.count());
        }
    }

    private Superblock end(Arena scratch) {
        growLive();
        final Long2LongHashMap places = new Long2LongHashMap(0);
        for (long[] remap : remaps) {
            places.put(remap[0], remap[1]);
        }
        for (int i = 0; i < deaths.size(); i++) {
            final long place = places.remove(deaths.getLong(i));
            live[Ppn.segment(place == 0 ? deaths.getLong(i) : place)] -= Ppn.lengthBytes(deaths.getLong(i));
        }
        final long[][] held = Arrays.stream(remaps).filter(remap -> places.containsKey(remap[0])).toArray(long[][]::new);
        final boolean[] freed = new boolean[segments.count()];
        final int candidateCount = candidates.length;
        for (int i = 0; i < candidateCount; i++) {
            freed[i] = candidates[i] && live[i] == 0 && segments.stolen(i) == 0;
        }
        final List<MetadataCodec.VersionImage> images = new ArrayList<>();
        for (int i = 0; i < cutImages.size(); i++) {
            final MetadataCodec.VersionImage image = cutImages.get(i);
            images.add(roots[i] == 0 ? image : image.withRoot(arena.ppn(roots[i])));
        }
        final MetadataWriter metadata = new MetadataWriter(log, segments, base.generation() + 1);
        final long before = counters.writtenBytes;
        metadata.write(scratch, () -> MetadataCodec.encode(scratch, images, nextId, segments,
                Arrays.copyOf(live, segments.count()), Arrays.copyOf(freed, segments.count()), held, dictionary.content()));
        counters.checkpointBytes += counters.writtenBytes - before;
        log.flush();
        final Superblock superblock = base.next(
                metadata.segmentCount(), log.writtenSequence(), metadata.rootPpn(), metadata.rootSalt(),
                metadata.rootGeneration(), metadata.rootCrc(), cut, epoch);
        write(superblock);
        counters.superblockBytes += 2 * SuperblockDescriptor.LENGTH;
        counters.flushes += 2;
        counters.checkpoints++;
        counters.metadataBytes = metadata.blockBytes();
        counters.streamBytesAtCut = 0;
        log.checkpointGeneration(superblock.generation());
        dictionary.settled();
        release(freed);
        return superblock;
    }

    /** A copy that may be there or not, whatever the error was: the next one must not have its generation. */
    private void write(Superblock superblock) {
        try {
            superblocks.write(superblock);
        } catch (RuntimeException e) {
            throw failure.fail(e);
        }
    }

    /** The new superblock is durable: what only the old one reached goes. */
    private void release(boolean[] freed) {
        for (int i = 0; i < deaths.size(); i++) {
            segments.removeLive(deaths.getLong(i));
        }
        letGo();
        segments.nodesSettled();
        segments.remaps().settled();
        segments.publishRemaps();
        for (int i = 0; i < freed.length; i++) {
            if (freed[i]) {
                segments.free().add(i);
            }
        }
        for (Version version : versions) {
            map.unloadIfIdle(version);
        }
    }

    /** Nodes are no longer frozen, nor kept for this. */
    private void letGo() {
        for (IntArrayList level : nodes) {
            for (int i = 0; i < level.size(); i++) {
                arena.clearCollected(level.getInt(i));
            }
        }
        map.thaw();
        for (int root : roots) {
            if (root != 0) {
                arena.release(root);
            }
        }
    }
}
