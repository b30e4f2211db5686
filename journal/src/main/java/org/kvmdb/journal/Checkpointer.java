package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.agrona.collections.IntArrayList;
import org.agrona.collections.LongArrayList;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;

/**
 * One checkpoint. In order: <b>cut</b> under the append lock (the map is frozen, the log's position noted); <b>nodes</b>:
 * dirty frozen nodes are encoded outside the lock and appended in pieces, children before parents, while commits go on;
 * <b>end</b> under the lock: catalog and segment table, flush, both superblock copies flushed one after the other, and
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
    private final SuperblockStore superblocks;
    private final Counters counters;
    private final Failure failure;
    private final Superblock base;

    private final List<VolumeEntry> volumes = new ArrayList<>();
    private final List<MetadataCodec.VolumeImage> cutImages = new ArrayList<>();
    private int[] roots;
    private int nextVolumeId;
    private long recordsBeforeCut;
    private LogPosition cut;
    private LongArrayList deaths;
    private int[] live;
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

    /** Runs it and returns the new superblock. */
    Superblock run() {
        lock.lock();
        try {
            cut();
        } finally {
            lock.unlock();
        }
        try (Arena scratch = Arena.ofConfined()) {
            for (int i = 0; i < roots.length; i++) {
                collect(roots[i], LEVELS - 1, 0, volumes.get(i).familyId());
            }
            writeNodes(scratch);
            lock.lock();
            try {
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
        }
    }

    /** No room: nothing durable refers to what was written; the next checkpoint does it again. */
    private void giveUp() {
        lock.lock();
        try {
            log.abandonGroup();
            map.restoreDeaths(deaths);
            map.thaw();
            counters.recordsSinceCheckpoint += recordsBeforeCut;
        } finally {
            lock.unlock();
        }
    }

    private void cut() {
        failure.check();
        cut = log.position();
        deaths = map.cut();
        live = segments.liveCopy();
        candidates = new boolean[live.length];
        for (int i = 0; i < live.length; i++) {
            candidates[i] = segments.state(i) == SegmentState.FULL && segments.stolen(i) == 0;
        }
        volumes.addAll(catalog.volumes());
        nextVolumeId = catalog.nextId();
        roots = new int[volumes.size()];
        for (int i = 0; i < roots.length; i++) {
            final VolumeEntry volume = volumes.get(i);
            roots[i] = volume.mapRoot();
            cutImages.add(new MetadataCodec.VolumeImage(
                    volume.id(), volume.name(), volume.sizeBytes(), volume.pageShift(), volume.familyId(),
                    volume.lsn(), 0));
        }
        recordsBeforeCut = counters.recordsSinceCheckpoint;
        counters.recordsSinceCheckpoint = 0;
        counters.batchesSinceCheckpoint = 0;
    }

    private void collect(int node, int level, long base, long family) {
        if (!arena.isDirty(node)) {
            return; // then nothing beneath it is dirty either
        }
        for (int index = 0; level > 0 && index < MapNodeDescriptor.FANOUT; index++) {
            final long entry = arena.entry(node, index);
            if (entry != 0) {
                collect(
                        MapNodeDescriptor.childNode(entry), level - 1,
                        base + ((long) index << NodeIdentity.shift(level)), family);
            }
        }
        nodes[level].addInt(node);
        lpns[level].addLong(base);
        families[level].addLong(NodeIdentity.family(family, level));
    }

    private void writeNodes(Arena scratch) {
        final MemorySegment image = scratch.allocate(MapNodeDescriptor.NODE_LENGTH, 64);
        final int capacity = BlockEncoder.destinationLength(NodeIdentity.PAGE_SHIFT);
        final MemorySegment encoded = scratch.allocate((long) PIECE_NODES_MAX * capacity, 64);
        final int[] lengths = new int[PIECE_NODES_MAX];
        for (int level = 0; level < LEVELS; level++) {
            for (int from = 0; from < nodes[level].size(); from += PIECE_NODES_MAX) {
                final int count = Math.min(PIECE_NODES_MAX, nodes[level].size() - from);
                for (int i = 0; i < count; i++) {
                    toImage(nodes[level].getInt(from + i), level, image);
                    lengths[i] = BlockEncoder.encode(
                            image, NodeIdentity.PAGE_SHIFT, BlockDescriptor.TYPE_MAP_NODE, 0,
                            encoded.asSlice((long) i * capacity, capacity));
                }
                appendNodes(level, from, count, encoded, capacity, lengths);
            }
        }
    }

    /** The node as it is stored: children by their PPN. */
    private void toImage(int node, int level, MemorySegment image) {
        for (int index = 0; index < MapNodeDescriptor.FANOUT; index++) {
            final long entry = arena.entry(node, index);
            final long stored =
                    level == 0 || entry == 0 ? entry : arena.ppn(MapNodeDescriptor.childNode(entry));
            Fields.putLong(image, (long) index * MapNodeDescriptor.ENTRY_LENGTH, stored);
        }
    }

    private void appendNodes(int level, int from, int count, MemorySegment encoded, int capacity, int[] lengths) {
        lock.lock();
        try {
            final long before = counters.writtenBytes;
            log.beginGroup(SpaceClaim.CHECKPOINT);
            for (int i = 0; i < count; i++) {
                final int node = nodes[level].getInt(from + i);
                final long family = families[level].getLong(from + i);
                final long ppn = log.block(
                        encoded.asSlice((long) i * capacity, lengths[i]), RecordDescriptor.KIND_BLOCK,
                        NodeIdentity.topByte(family), (int) family, lpns[level].getLong(from + i), family);
                if (arena.ppn(node) != 0) {
                    deaths.addLong(arena.ppn(node));
                }
                arena.markStored(node, ppn);
                segments.addLive(ppn);
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
        for (int i = 0; i < deaths.size(); i++) {
            live[Ppn.segment(deaths.getLong(i))] -= Ppn.lengthBytes(deaths.getLong(i));
        }
        final boolean[] freed = new boolean[segments.count()];
        final int candidateCount = candidates.length;
        for (int i = 0; i < candidateCount; i++) {
            freed[i] = candidates[i] && live[i] == 0 && segments.stolen(i) == 0;
        }
        final List<MetadataCodec.VolumeImage> images = new ArrayList<>();
        for (int i = 0; i < cutImages.size(); i++) {
            final MetadataCodec.VolumeImage image = cutImages.get(i);
            images.add(new MetadataCodec.VolumeImage(
                    image.id(), image.name(), image.sizeBytes(), image.pageShift(), image.familyId(), image.lsn(),
                    arena.ppn(roots[i])));
        }
        final MetadataWriter metadata = new MetadataWriter(log, segments, base.generation() + 1);
        final long before = counters.writtenBytes;
        metadata.write(scratch, () -> MetadataCodec.encode(scratch, images, nextVolumeId, segments,
                Arrays.copyOf(live, segments.count()), Arrays.copyOf(freed, segments.count())));
        counters.checkpointBytes += counters.writtenBytes - before;
        log.flush();
        final Superblock superblock = base.next(
                metadata.segmentCount(), log.writtenSequence(), metadata.rootPpn(), metadata.rootSalt(),
                metadata.rootGeneration(), metadata.rootCrc(), cut, map.epoch());
        superblocks.write(superblock);
        counters.superblockBytes += 2 * SuperblockDescriptor.LENGTH;
        counters.flushes += 2;
        counters.checkpoints++;
        log.checkpointGeneration(superblock.generation());
        release(freed);
        return superblock;
    }

    /** The new superblock is durable: what only the old one reached goes. */
    private void release(boolean[] freed) {
        for (int i = 0; i < deaths.size(); i++) {
            segments.removeLive(deaths.getLong(i));
        }
        map.thaw();
        for (int i = 0; i < freed.length; i++) {
            if (freed[i]) {
                segments.free(i);
            }
        }
    }
}
