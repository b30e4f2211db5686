package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.CompressionDictionary;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.OpenParts;
import org.kvmdb.ffi.SpaceAccount;
import org.kvmdb.ffi.StorageException;

/**
 * Everything durable of one store: the log, the map, the catalog. Thread-safe.
 *
 * <p>The log and the map have one writer, the holder of the append lock: an {@link Append} from {@link #beginAppend()}
 * to its close, a change of the catalog, a step of a checkpoint or of the cleaner. Reading the map does not need the
 * lock.
 *
 * <p>A failed write or flush makes the journal {@linkplain ErrorCode#FAILED failed}: nothing is retried, and nothing is
 * acknowledged until it is opened again.
 */
public final class Journal implements AutoCloseable {

    /** A map node stored raw, with its record and its share of the batch. */
    static final long NODE_RESERVE_BYTES = BlockEncoder.blockLengthMax(StoredNode.LONG_SHIFT) + 64;

    /** Reading a batch again costs a recovery as much as so many records do. */
    private static final int RECORDS_WORTH_A_BATCH = 8;

    /** A checkpoint that writes no more than this part of what the log has grown by is cheap: taken to keep recovery short. */
    private static final int CHEAP_SHARE = 64;

    /** What the log may grow by in any case: so much is recovered quickly enough. */
    private static final int LOG_SEGMENTS_MIN = 4;

    private final Device device;
    private final JournalOptions options;
    /** The append lock. Fair: who commits in a loop must not keep checkpoints out. */
    private final ReentrantLock lock = new ReentrantLock(true);
    private final ReentrantLock checkpointLock = new ReentrantLock();
    /** What was opened, and goes with the journal. */
    private final OpenParts opened;

    private final Failure failure = new Failure();
    private final Counters counters = new Counters();
    private final Catalog catalog = new Catalog();
    private final SegmentTable segments;
    private final NodeArena arena;
    private final PageMap map;
    private final StoreDictionary dictionary;
    private final DictionarySampler sampler;
    private final SuperblockStore superblocks;
    private final LogWriter log;
    private final JournalParts parts;
    private final CatalogWriter catalogWriter;
    private final Versions versions;
    private final BlockSurvey survey;
    private final BlockReader reader;
    private final SegmentPreparer preparer;
    private final SegmentMover mover;
    private final SpaceBudget budget;
    private final IdleWork idleWork;
    private Superblock superblock;
    private ReaderGrace grace = ReaderGrace.NONE;
    private boolean appending;
    private long bytesBeforeAppend;
    private boolean closed;

    private Journal(
            Device device, JournalOptions options, Superblock superblock, SuperblockStore superblocks, OpenParts opened) {
        this.opened = opened;
        this.device = device;
        this.options = options;
        this.superblock = superblock;
        this.superblocks = superblocks;
        final int segmentSize = superblock.segmentSizeBytes();
        // A device that lost its end: what of it is free is granted again.
        final long granted = Math.max(grantedBytes(device, segmentSize), superblock.endOfSegments());
        final long limit = Math.min(options.maxSizeBytes(), CheckpointSize.deviceBytesMax(segmentSize));
        final SpaceAccount space = opened.add(
                new SpaceAccount(
                        granted,
                        Math.max(granted, limit),
                        (long) options.growStepSegments() * segmentSize,
                        segmentSize,
                        device.isReadOnly() || options.readOnly() ? -1 : device.fd()),
                SpaceAccount::close);
        segments = opened.add(new SegmentTable(device, segmentSize, space), SegmentTable::close);
        arena = opened.add(new NodeArena(), NodeArena::close);
        final MapLoader loader = new MapLoader(device, segments, arena, LoadListener.STRICT);
        map = new PageMap(arena, segments, loader);
        dictionary = opened.add(new StoreDictionary(), StoreDictionary::close);
        sampler = new DictionarySampler(options.readOnly() ? 0 : options.dictionarySampleBytes());
        log = opened.add(
                new LogWriter(
                        device, segments, failure, counters, superblock.storeId(), superblock.secret(),
                        options.random().nextLong()),
                LogWriter::close);
        parts = new JournalParts(device, segments, arena, map, catalog, dictionary, superblocks, log, counters, failure);
        budget = new SpaceBudget(parts, space, lock);
        catalogWriter = new CatalogWriter(parts, new CatalogChanges(catalog, map), budget, options);
        versions = new Versions(this, parts, new MapWalk(arena, loader), catalogWriter);
        survey = new BlockSurvey(this, parts, space);
        reader = new BlockReader(parts);
        preparer = new SegmentPreparer(log, segments, counters);
        idleWork = new IdleWork(parts, space, lock, preparer, sampler, options.readOnly());
        mover = opened.add(
                new SegmentMover(parts, new MapWalk(arena, loader), lock, superblock.storeId(), this::mapChanged),
                SegmentMover::close);
    }

    /** Whole segments that the device holds, behind the superblocks. */
    static long grantedBytes(Device device, int segmentSize) {
        final long behind = device.sizeBytes() - SuperblockDescriptor.SEGMENTS_OFFSET;
        return SuperblockDescriptor.SEGMENTS_OFFSET + Math.max(0, behind / segmentSize) * segmentSize;
    }

    /** Creates a store on an empty device, which the journal then owns. */
    public static Journal create(Device device, JournalOptions options) {
        return closingOnFailure(device, opened -> {
            final SuperblockStore superblocks = new SuperblockStore(device);
            if (superblocks.isStore()) {
                throw new StorageException(ErrorCode.ALREADY_EXISTS, "there is a store already: " + device);
            }
            final Superblock base = new Superblock(
                    options.random().nextLong(), options.random().nextLong(), options.random().nextLong(),
                    options.random().nextLong(), options.random().nextLong(), 0, 1, options.segmentSizeBytes(), 0, 0, 0,
                    0, 0, 0, new LogPosition(0, 0, 0, 0, 1, 0));
            final Journal journal = new Journal(device, options, base, superblocks, opened);
            journal.format();
            device.publish();
            return journal;
        });
    }

    /** The first segment, written ahead, and two checkpoints of nothing, so that both pairs of superblocks are there. */
    private void format() {
        log.resumeInNewSegment(1, 0, 0, 0);
        preparer.fill(log.position().segment(), device);
        log.reserveNext();
        superblock = new Checkpointer(parts, lock, superblock).runAtOpening();
        superblock = new Checkpointer(parts, lock, superblock).runAtOpening();
        budget.updateReserve();
    }

    /** Opens a store, recovering it; the journal then owns the device. */
    public static Journal open(Device device, JournalOptions options) {
        return closingOnFailure(device, opened -> {
            final long begin = System.nanoTime();
            final SuperblockStore superblocks = new SuperblockStore(device);
            final Superblock superblock = superblocks.read(options.readOnly());
            final Journal journal = new Journal(device, options, superblock, superblocks, opened);
            journal.recover();
            journal.counters.recoveryNanos = System.nanoTime() - begin;
            return journal;
        });
    }

    private void recover() {
        new CheckpointLoader(parts, LoadListener.STRICT).load(superblock);
        catalog.volumes().forEach(map::load);
        segments.extend();
        final Recovery recovery = new Recovery(parts, superblock);
        recovery.run(options.readOnly());
        segments.free().open(Math.max(options.pooledSegmentsMax(), budget.reserveSegments()));
        segments.publishRemaps();
        counters.recordsSinceCheckpoint = counters.recordsReplayed;
        if (dictionary.inUse() != null) {
            sampler.stop();
        }
        if (options.readOnly()) {
            return;
        }
        superblocks.repair(superblock, recovery.isClosedInOrder());
        final LogPosition end = recovery.end();
        final long durable = end.sequence() - 1;
        if (recovery.isClosedInOrder() && end.offset() < segments.segmentSizeBytes() - BatchDescriptor.UNIT_BYTES) {
            log.resume(end, durable, superblock.generation());
            log.reserveNext();
        } else {
            log.resumeInNewSegment(end.sequence(), end.digest(), durable, superblock.generation());
            log.reserveNext();
            final long begin = System.nanoTime();
            superblock = new Checkpointer(parts, lock, superblock).runAtOpening();
            counters.latencies.record(Latencies.Kind.CHECKPOINT, begin);
        }
        budget.updateReserve();
    }

    private static Journal closingOnFailure(Device device, Function<OpenParts, Journal> action) {
        final OpenParts opened = OpenParts.of(device, Device::close);
        try {
            return action.apply(opened);
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    // ---- catalog ----

    /** All volumes, in order of their ids. */
    public List<VolumeEntry> volumes() {
        return catalog.volumes();
    }

    public VolumeEntry volume(String name) {
        return catalog.volume(name);
    }

    public VolumeEntry volume(int id) {
        return catalog.volume(id);
    }

    /** Snapshots and clones, and what maps of versions say. */
    public Versions versions() {
        return versions;
    }

    /** The blocks of the store, for who verifies or counts them. */
    public BlockSurvey survey() {
        return survey;
    }

    /** Creates a volume of holes; durable on return. */
    public VolumeEntry createVolume(String name, long sizeBytes, int pageShift) {
        return change(() -> catalogWriter.createVolume(name, sizeBytes, pageShift));
    }

    /** Deletes a volume that has no snapshots; durable on return. {@link Versions#dropStep} gives its space back. */
    public void deleteVolume(int volumeId) {
        change(() -> {
            catalogWriter.deleteVolume(catalog.volume(volumeId));
            return null;
        });
    }

    /** Changes a volume's size; durable on return. What lay behind a smaller size reads as zeros when it grows again. */
    public void resizeVolume(int volumeId, long sizeBytes) {
        change(() -> {
            catalogWriter.resize(catalog.volume(volumeId), sizeBytes);
            return null;
        });
    }

    /** Runs a change of catalog or maps under the append lock. */
    <T> T change(Supplier<T> action) {
        lock.lock();
        try {
            checkWritable();
            final T result = action.get();
            budget.updateReserve();
            idleWork.appended();
            return result;
        } catch (Error e) {
            throw failure.end(e);
        } finally {
            settleAndUnlock();
        }
    }

    /** A change may be made within another one, whose promises stand until its end. */
    private void settleAndUnlock() {
        try {
            if (lock.getHoldCount() == 1) {
                budget.settle();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Looks at something under the append lock. */
    <T> T look(Supplier<T> action) {
        lock.lock();
        try {
            failure.checkOpen();
            return action.get();
        } finally {
            lock.unlock();
        }
    }

    private void checkWritable() {
        failure.check();
        checkNotAppending();
        if (options.readOnly()) {
            throw new StorageException(ErrorCode.INVALID, "store is open read-only");
        }
    }

    /** The lock is reentrant: what must not happen within an append would slip in from the thread that has it open. */
    private void checkNotAppending() {
        if (lock.isHeldByCurrentThread() && appending) {
            throw new StorageException(ErrorCode.INVALID, "this thread has an append open; close it first");
        }
    }

    // ---- map ----

    /** PPN of a page's block; 0 for a hole. */
    public long lookup(int volumeId, long lpn) {
        return look(() -> map.get(loaded(volumeId).mapRoot(), lpn));
    }

    /** A volume, with its map in memory. Under the append lock. */
    VolumeEntry loaded(int volumeId) {
        final VolumeEntry volume = catalog.volume(volumeId);
        map.load(volume);
        return volume;
    }

    /** Calls for every page that is not a hole, in order. Nothing is appended meanwhile. */
    public void forEachMapped(int volumeId, DiffVisitor visitor) {
        look(() -> versions.diffPiece(null, catalog.volume(volumeId), 0, Integer.MAX_VALUE, visitor));
    }

    /** Reads a page, verified; zeros for a hole. Throws CORRUPT_PAGE when it cannot be had. */
    public void readPage(int volumeId, long lpn, MemorySegment page) {
        versions.readPage(volume(volumeId), lpn, page);
    }

    /** Reads a block of a page as a version has it; null, or what is wrong. Under the append lock. */
    String readBlock(Version version, long lpn, long ppn, MemorySegment page) {
        return reader.read(ppn, BlockDescriptor.TYPE_PAGE, lpn, version.familyId(), page, version.pageShift());
    }

    // ---- shared with the fault handler ----

    public FaultTables faultTables() {
        return new FaultTables(
                arena.address(), NodeArena.NODES_MAX, segments.address(), segments.capacity(), new int[] {device.fd()});
    }

    /** What may still become dirty; shared with the fault handler. */
    public SpaceAccount space() {
        return budget.account();
    }

    /** Sets who is told of new roots of maps. */
    public void onRootChange(RootListener listener) {
        map.rootListener(listener);
    }

    /** Sets who knows when the readers of the map have left what they saw. */
    public void readerGrace(ReaderGrace readerGrace) {
        lock.lock();
        try {
            failure.checkOpen();
            grace = readerGrace;
            segments.grace(readerGrace);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Sets who compresses pages against the store's dictionary: told at once if there is one, else when there is, under the
     * append lock. It is valid until the journal is closed.
     */
    public void dictionaryUser(Consumer<CompressionDictionary> user) {
        look(() -> {
            dictionary.user(user);
            return null;
        });
    }

    void sample(MemorySegment pages, int count, int pageShift) {
        sampler.offer(pages, count, pageShift);
    }

    // ---- append ----

    /** Begins a commit, or a group of stolen pages; holds the append lock until it is closed. */
    public Append beginAppend() {
        budget.awaitCleaner();
        lock.lock();
        try {
            checkWritable();
            log.beginGroup(SpaceClaim.COMMIT);
            bytesBeforeAppend = counters.writtenBytes;
            final Append append = new Append(this, log);
            appending = true; // last: nobody closes an append for which there was no memory
            return append;
        } catch (RuntimeException | Error e) {
            lock.unlock();
            throw e;
        }
    }

    /** See {@link CatalogWriter#snapshot}. */
    CatalogWriter.SnapshotPlan planSnapshot(VolumeEntry volume, String name, int idsTaken, List<SnapshotEntry> made) {
        return catalogWriter.snapshot(volume, name, idsTaken, made);
    }

    /** What the record of a page says besides its place: how long its block lasted that this one replaces. */
    int pageInfo(VolumeEntry volume, long lpn) {
        final long old = map.get(volume.mapRoot(), lpn);
        return RecordDescriptor.pageInfo(old == 0 ? 0 : segments.ageClass(old));
    }

    void committed(int pages) {
        counters.commits++;
        counters.recordsSinceCheckpoint += pages + 1;
    }

    /** Stolen blocks keep their segments until they are referred to or dropped. */
    void stolen(long[] ppns, int count) {
        for (int i = 0; i < count; i++) {
            segments.addStolen(ppns[i]);
        }
    }

    void checkStolen(long ppn) {
        if (!segments.isPlausible(ppn)) {
            throw new StorageException(ErrorCode.INVALID, "not a stolen block: " + org.kvmdb.ffi.Ppn.toString(ppn));
        }
    }

    void applyPage(VolumeEntry volume, long lpn, long ppn, boolean reference) {
        if (reference) {
            segments.removeStolen(ppn);
        }
        map.set(volume, lpn, ppn);
    }

    void applyTrim(VolumeEntry volume, long firstLpn, long endLpn) {
        map.trim(volume, firstLpn, endLpn);
    }

    void applied() {
        budget.updateReserve();
    }

    void endAppend() {
        appending = false;
        try {
            budget.pacer().appended(counters.writtenBytes - bytesBeforeAppend);
            budget.countSpare();
            idleWork.appended();
            arena.reclaim(grace);
        } catch (Error e) {
            throw failure.end(e);
        } finally {
            settleAndUnlock();
        }
    }

    Error end(Error e) {
        return failure.end(e);
    }

    StorageException fail(String why) {
        return failure.fail(new StorageException(ErrorCode.FAILED, why));
    }

    /** A stolen block was written again or rolled back: its bytes are dead. */
    public void dropStolen(long ppn) {
        lock.lock();
        try {
            failure.checkOpen();
            segments.removeStolen(ppn);
        } finally {
            lock.unlock();
        }
    }

    /** Makes everything that was committed asynchronously durable. */
    public void flush() {
        lock.lock();
        try {
            checkWritable();
            if (log.durableSequence() < log.writtenSequence()) {
                log.flush();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Sequence of the last batch. */
    public long sequence() {
        return log.writtenSequence();
    }

    // ---- checkpoint ----

    /** Writes the map into the log, frees segments; safe while commits go on. Returns the sequence that it reaches to. */
    public long checkpoint() {
        checkpointLock.lock();
        try {
            checkWritable();
            superblock = new Checkpointer(parts, lock, superblock).run();
            lock.lock();
            try {
                arena.reclaim(grace);
                budget.updateReserve();
            } catch (Error e) {
                throw failure.end(e);
            } finally {
                lock.unlock();
            }
            return superblock.log().sequence() - 1;
        } finally {
            checkpointLock.unlock();
        }
    }

    /** Runs something while no checkpoint is under way. */
    <T> T betweenCheckpoints(Supplier<T> action) {
        checkpointLock.lock();
        try {
            return action.get();
        } finally {
            checkpointLock.unlock();
        }
    }

    private long logBytesMin() {
        return (long) LOG_SEGMENTS_MIN * segments.segmentSizeBytes();
    }

    /**
     * Whether the log since the last checkpoint has grown long, or so much that a checkpoint would write little beside, or one would
     * make room that is needed.
     */
    public boolean checkpointIsDue() {
        lock.lock();
        try {
            failure.checkOpen();
            if (failure.isFailed() || counters.recordsSinceCheckpoint == 0) {
                return false;
            }
            return counters.recordsSinceCheckpoint + counters.batchesSinceCheckpoint * RECORDS_WORTH_A_BATCH
                            >= options.checkpointRecordsMax()
                    || dictionary.isOffered()
                    || counters.writtenBytes - counters.writtenBytesAtCut
                            >= Math.max(logBytesMin(), budget.checkpointBytes() * CHEAP_SHARE)
                    || budget.isCheckpointNeeded();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Gives the disk space of free segments back, but for a pool that commits go to: at most so many of them, for the
     * append lock is held meanwhile.
     *
     * @param keep free segments that keep their space
     * @return how many gave it back
     */
    public int punchFreeSegments(int keep, int countAtMost) {
        lock.lock();
        try {
            checkWritable();
            return segments.free().punch(keep, countAtMost);
        } finally {
            lock.unlock();
        }
    }

    /** How the segments stand: what a policy of space goes by. */
    public SegmentStatistics segmentStatistics() {
        return look(budget::statistics);
    }

    /** What moves blocks so that segments become free. */
    public SegmentMover mover() {
        return mover;
    }

    public Latencies latencies() {
        return counters.latencies;
    }

    /** What keeps commits from outrunning the cleaner. */
    public AppendPacer pacer() {
        return budget.pacer();
    }

    private void mapChanged() {
        segments.publishRemaps();
        budget.updateReserve();
        budget.countSpare();
        arena.reclaim(grace);
    }

    // ---- background ----

    /** What whoever maintains the store has done between appends. */
    public IdleWork idleWork() {
        return idleWork;
    }

    // ---- statistics and life ----

    public JournalStatistics statistics() {
        return look(() -> JournalStatistics.of(parts));
    }

    /** Takes a checkpoint and marks the log as closed in order, unless the journal failed; closes the device. */
    @Override
    public void close() {
        try {
            mover.close();
            budget.pacer().pace(0, 0, 0);
        } finally { // for want of memory, too
            closeAll();
        }
    }

    private void closeAll() {
        checkpointLock.lock();
        lock.lock();
        try {
            if (closed) {
                return;
            }
            checkNotAppending();
            closed = true;
            try {
                if (!options.readOnly() && !failure.isFailed()) {
                    closeLog();
                }
            } finally {
                failure.close();
                opened.close();
            }
        } finally {
            lock.unlock();
            checkpointLock.unlock();
        }
    }

    /** Without room for a checkpoint everything is in the log all the same, and the mark says that it is complete. */
    private void closeLog() {
        try {
            if (counters.recordsSinceCheckpoint > 0) {
                superblock = new Checkpointer(parts, lock, superblock).run();
            }
        } catch (StorageException e) {
            if (e.code() != ErrorCode.STORE_FULL) {
                throw e;
            }
        }
        log.writeSeal(BatchDescriptor.FLAG_CLOSED);
        log.flush();
        try {
            segments.free().discardUnwritten();
        } catch (StorageException e) {
            // Everything is durable and stays so: the file is merely longer than it need be.
        }
    }

    /** Lets go of everything and writes nothing, as the end of the process would. For tests. */
    void kill() {
        mover.close();
        budget.pacer().pace(0, 0, 0);
        checkpointLock.lock();
        lock.lock();
        try {
            if (!closed) {
                closed = true;
                failure.close();
                opened.close();
            }
        } finally {
            lock.unlock();
            checkpointLock.unlock();
        }
    }

    /** The newest that is durable. */
    Superblock superblock() {
        return superblock;
    }

    JournalParts parts() {
        return parts;
    }
}
