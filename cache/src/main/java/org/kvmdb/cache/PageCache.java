package org.kvmdb.cache;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NoOpIdleStrategy;
import org.kvmdb.ffi.CompressionDictionary;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.FaultCounters;
import org.kvmdb.ffi.FaultKind;
import org.kvmdb.ffi.NativePool;
import org.kvmdb.ffi.OpenParts;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.FaultTables;
import org.kvmdb.journal.Journal;
import org.kvmdb.journal.Latencies;
import org.kvmdb.journal.ReaderGrace;
import org.kvmdb.journal.Version;

/**
 * The regions of one store within one memory budget, and its agents: the evictor and the stealer, which wait for the
 * fault path to report pressure, and agents that bring in pages ahead of readers. Thread-safe.
 */
public final class PageCache implements AutoCloseable {

    private static final long PRESSURE_WAIT_MILLIS = 100;

    /** A reader does its share itself, so one processor is left to it. */
    private static final int READ_AHEAD_THREADS =
            Math.clamp(Runtime.getRuntime().availableProcessors() - 1, 1, 4);

    /** A page that is not in memory can be brought in as long as half of the budget is not pinned. */
    private static final int PIN_SHARE = 2;

    private final Journal journal;
    private final Path spillDirectory;
    private final long budgetBytes;
    private final NativePool pool;
    private final PageWriter writer;
    private final LargeReads largeReads;
    private final WriteBack writeBack;
    private final CommitCoordinator coordinator;
    private final Prefetcher prefetcher = new Prefetcher();
    private final Scopes.Gate scopeGate = new Scopes.Gate();
    private final Map<Integer, Region> regions = new ConcurrentHashMap<>();
    private final AtomicLong pinnedBytes = new AtomicLong();
    /** Closed in this order: the agents, the regions, the pool, the buffers. */
    private final OpenParts opened = new OpenParts();

    /**
     * @param budgetBytes for frames, copies aside, staging, page states, the compressed tier and the buffers of write-back and
     *     large reads
     * @param tierShare of the budget that the compressed tier may grow to; 0: there is none
     * @param directReads whether faults read past the operating system's cache
     * @param readDeadlineMillis after which a device read in a fault makes a bad page
     */
    public record Options(long budgetBytes, double tierShare, boolean directReads, long readDeadlineMillis) {}

    /** @param spillDirectory where unnamed files for dirty pages without room are made */
    public PageCache(Journal journal, Path spillDirectory, Options options) {
        this.journal = journal;
        this.spillDirectory = spillDirectory;
        this.budgetBytes = options.budgetBytes();
        try {
            this.writer = opened.add(new PageWriter(options.budgetBytes()), PageWriter::close);
            this.largeReads = opened.add(new LargeReads(options.budgetBytes()), LargeReads::close);
            this.pool = opened.add(openPool(journal.faultTables(), options), NativePool::close);
            attachDevices(journal.faultTables());
            opened.add(regions, ignored -> unmapAll());
            this.writeBack = new WriteBack(journal, writer, scopeGate);
            this.coordinator = new CommitCoordinator(writeBack::commit);
            journal.readerGrace(opened.add(new PoolGrace(), grace -> journal.readerGrace(ReaderGrace.NONE)));
            journal.dictionaryUser(this::compressAgainst);
            opened.add(journal, closing -> closing.dictionaryUser(dictionary -> {}));
            journal.onRootChange(this::rootChanged);
            start(new PressureAgent("kvmdb-evictor", NativePool.PRESSURE_EVICT, this::evict));
            start(new PressureAgent("kvmdb-stealer", NativePool.PRESSURE_STEAL, this::steal));
            start(prefetcher);
            for (int n = 1; n <= READ_AHEAD_THREADS; n++) {
                start(new ReadAheadAgent("kvmdb-read-ahead-" + n));
            }
            opened.add(pool, NativePool::stop);
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    private NativePool openPool(FaultTables tables, Options options) {
        return NativePool.open(new NativePool.Options(
                budgetBytes - buffersBytes(),
                tables.segmentTableAddress(),
                tables.segmentTableCapacity(),
                tables.nodeArenaAddress(),
                tables.nodeArenaCapacity(),
                journal.space().address(),
                (long) (options.tierShare() * budgetBytes),
                options.readDeadlineMillis(),
                options.directReads()));
    }

    private long buffersBytes() {
        return writer.memoryBytes() + largeReads.memoryBytes();
    }

    private void attachDevices(FaultTables tables) {
        for (int device = 0; device < tables.deviceFds().length; device++) {
            pool.device(device, tables.deviceFds()[device]);
        }
    }

    /** The fault path knows it before the first block needs it. */
    private void compressAgainst(CompressionDictionary dictionary) {
        pool.useDictionary(dictionary);
        writer.compressAgainst(dictionary);
    }

    private void rootChanged(int versionId, int node) {
        final Region region = regions.get(versionId);
        if (region != null) {
            region.refreshRoot();
        }
    }

    private void start(Agent agent) {
        opened.add(
                new BackgroundAgent(agent, NoOpIdleStrategy.INSTANCE, PageCache::report), BackgroundAgent::close);
    }

    /** What an agent met is met again, and told, by the next commit; here it must only not end the agent. */
    private static void report(Throwable failure) {
        System.getLogger(PageCache.class.getName()).log(System.Logger.Level.DEBUG, "background work failed", failure);
    }

    // ---- regions ----

    /** Maps a volume or a snapshot, or returns the region that it is mapped as. */
    public Region open(Version version) {
        final Region region = regions.computeIfAbsent(version.id(), id -> map(version));
        // Between the making of the region and its being found here nobody told it of a new root.
        region.refreshRoot();
        return region;
    }

    private Region map(Version version) {
        journal.versions().openMap(version);
        try {
            return new Region(this, version, spillDirectory);
        } catch (RuntimeException | Error e) {
            journal.versions().closeMap(version);
            throw e;
        }
    }

    public boolean isMapped(Version version) {
        return regions.containsKey(version.id());
    }

    /** Unmaps a volume or a snapshot; what was not committed is dropped. */
    public void close(Version version) {
        final Region region = regions.get(version.id());
        if (region != null) {
            scopeGate.checkOutside("closing a volume");
            region.pins().whileNone(region::closeMemory);
            unmap(region);
            regions.remove(version.id());
        }
    }

    private void unmap(Region region) {
        writeBack.discard(region);
        journal.versions().closeMap(region.version());
    }

    // ---- commit ----

    /** Commits regions together; with none named, all that are open. Returns the sequence of the batch. */
    public long commit(Collection<Region> named, boolean durable) {
        scopeGate.checkOutside("commit");
        final long begin = System.nanoTime();
        final long sequence = coordinator.commit(chosen(named), !named.isEmpty(), durable, null);
        journal.latencies().record(Latencies.Kind.COMMIT, begin);
        return sequence;
    }

    /** Commits regions together, and takes a snapshot of each in the same batch, with the same flush. */
    public void commitWithSnapshots(Collection<Region> named, String snapshotName) {
        scopeGate.checkOutside("a snapshot");
        final long begin = System.nanoTime();
        coordinator.commit(Set.copyOf(named), true, true, snapshotName);
        journal.latencies().record(Latencies.Kind.COMMIT, begin);
    }

    /** Drops what was written to the regions since their last commit; with none named, of all that are open. */
    public void rollback(Collection<Region> named) {
        scopeGate.checkOutside("rollback");
        writeBack.rollback(chosen(named), !named.isEmpty());
    }

    private Set<Region> chosen(Collection<Region> named) {
        final Set<Region> chosen = new HashSet<>(named.isEmpty() ? regions.values() : named);
        chosen.removeIf(Region::isReadOnly);
        return chosen;
    }

    LargeReads largeReads() {
        return largeReads;
    }

    /** Whether writing so much more would make more dirty than stealing leaves. */
    boolean isTooMuchToBeDirty(long bytes) {
        return pool.dirtyBytes() + bytes > pool.stealBytes() / 2;
    }

    /** See {@link WriteBack#writeThrough}. */
    BitSet writeThrough(Region region, long firstLpn, MemorySegment source) {
        return writeBack.writeThrough(region, firstLpn, source);
    }

    public void resize(Region region, long sizeBytes) {
        scopeGate.checkOutside("resize");
        writeBack.resize(region, sizeBytes);
    }

    /**
     * Makes a volume that is mapped hold something else, at the same address.
     *
     * @param sizeBytes that the volume has afterwards
     * @param dropsWrites what becomes of writes that were not committed: true: they are dropped; false: they are a
     *     reason to refuse
     * @param change of the journal, which gives it its new map and size; when it throws, everything is as it was
     */
    public void replace(Region region, long sizeBytes, boolean dropsWrites, Runnable change) {
        scopeGate.checkOutside("replacing the content of a volume");
        writeBack.replace(region, sizeBytes, dropsWrites, change);
    }

    // ---- background ----

    private void evict() {
        pool.evict();
    }

    /** Steals until half of what raises the pressure is left, or nothing can be stolen. */
    private void steal() {
        boolean progress = true;
        while (progress && pool.dirtyBytes() > pool.stealBytes() / 2) {
            progress = false;
            for (Region region : chosen(List.of())) {
                progress |= region.stealCursor() != 0 | writeBack.steal(region) > 0;
            }
        }
    }

    private final class PressureAgent implements Agent {
        private final String name;
        private final int bits;
        private final Runnable relieve;

        PressureAgent(String name, int bits, Runnable relieve) {
            this.name = name;
            this.bits = bits;
            this.relieve = relieve;
        }

        @Override
        public int doWork() {
            if ((pool.waitForPressure(bits, PRESSURE_WAIT_MILLIS) & bits) == 0) {
                return 0;
            }
            relieve.run();
            return 1;
        }

        @Override
        public String roleName() {
            return name;
        }
    }

    /** Spends its life in the shim, in native state: no fault and no safepoint waits for it. */
    private final class ReadAheadAgent implements Agent {
        private final String name;

        ReadAheadAgent(String name) {
            this.name = name;
        }

        @Override
        public int doWork() {
            return pool.readAhead(PRESSURE_WAIT_MILLIS) > 0 ? 1 : 0;
        }

        @Override
        public String roleName() {
            return name;
        }
    }

    private final class PoolGrace implements ReaderGrace {
        @Override
        public long advance() {
            return pool.advanceEpoch();
        }

        @Override
        public boolean passed(long epoch) {
            return pool.epochPassed(epoch);
        }
    }

    // ---- for regions ----

    NativePool pool() {
        return pool;
    }

    Prefetcher prefetcher() {
        return prefetcher;
    }

    Scopes.Gate scopeGate() {
        return scopeGate;
    }

    void reservePins(long bytes) {
        if (pinnedBytes.addAndGet(bytes) > budgetBytes / PIN_SHARE) {
            pinnedBytes.addAndGet(-bytes);
            throw new StorageException(
                    ErrorCode.BUSY,
                    "pins may hold half of the cache: pinned=%d asked=%d cache=%d; pin less at a time or use a larger cache"
                            .formatted(pinnedBytes.get(), bytes, budgetBytes));
        }
    }

    void releasePins(long bytes) {
        pinnedBytes.addAndGet(-bytes);
    }

    // ---- statistics ----

    public long budgetBytes() {
        return budgetBytes;
    }

    public long residentBytes() {
        return pool.residentBytes() + buffersBytes();
    }

    public long dirtyBytes() {
        return pool.dirtyBytes();
    }

    /** What the compressed tier has of them. */
    public long tierBytes() {
        return pool.tierBytes();
    }

    public FaultCounters counters() {
        return pool.counters();
    }

    public Histogram latency(FaultKind kind) {
        return pool.latency(kind);
    }

    public long stolenPages() {
        return writeBack.stolenPages();
    }

    public long committedPages() {
        return writeBack.committedPages();
    }

    public long commits() {
        return coordinator.commits();
    }

    /** Throws when the current thread is in a write scope or called back by a commit: it would wait for itself. */
    public void checkCanClose() {
        scopeGate.checkOutside("close");
    }

    /** Invalidates all memory. When some is in use by a native call, all stays valid and the exception says so. */
    public void closeMemory() {
        final List<Region> done = new ArrayList<>();
        try {
            for (Region region : regions.values()) {
                region.closeMemory();
                done.add(region);
            }
        } catch (StorageException e) {
            done.forEach(Region::reopenMemory);
            throw e;
        }
    }

    /** Unmaps everything, dropping what was not committed. Nobody may call anything any more. */
    @Override
    public void close() {
        try {
            closeMemory();
        } finally { // for want of memory, too
            opened.close();
        }
    }

    private void unmapAll() {
        regions.values().forEach(this::unmap);
        regions.clear();
    }
}
