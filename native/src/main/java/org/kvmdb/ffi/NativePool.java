package org.kvmdb.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.HdrHistogram.Histogram;

/** The cache of one store in C ({@code pool.h}): budget, queues, fault slots. Thread-safe. The owner closes it last. */
public final class NativePool implements AutoCloseable {

    /** Bits of {@link #waitForPressure}. */
    public static final int PRESSURE_EVICT = 1;

    public static final int PRESSURE_STEAL = 2;

    static final int OPTIONS_LENGTH = 9 * Long.BYTES;

    /**
     * @param budgetBytes limit of everything that counts
     * @param segmentTable address of {@link SegmentTableDescriptor} entries
     * @param segmentCount entries in it
     * @param nodeArena address of {@link MapNodeDescriptor} nodes
     * @param nodeCount nodes that fit in it
     * @param spaceAccount address of the {@link SpaceAccount}
     * @param tierBytes of the budget, that blocks in memory, compressed, may have; 0: none
     * @param readDeadlineMillis after which a device read in a fault makes a bad page; 0: never
     * @param directReads whether device reads in faults go past the page cache, where the file system lets them
     */
    public record Options(
            long budgetBytes,
            long segmentTable,
            long segmentCount,
            long nodeArena,
            long nodeCount,
            long spaceAccount,
            long tierBytes,
            long readDeadlineMillis,
            boolean directReads) {}

    private long handle;
    private boolean closed;

    private NativePool() {}

    public static NativePool open(Options options) {
        PageFaulter.install();
        // Made before the pool is: without memory for it that would be lost.
        final NativePool pool = new NativePool();
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment fields = arena.allocateFrom(
                    ValueLayout.JAVA_LONG,
                    options.budgetBytes,
                    options.segmentTable,
                    options.segmentCount,
                    options.nodeArena,
                    options.nodeCount,
                    options.spaceAccount,
                    options.tierBytes,
                    options.readDeadlineMillis,
                    options.directReads ? 1 : 0);
            final MemorySegment handle = arena.allocate(ValueLayout.JAVA_LONG);
            Errno.check(ShimLibrary.shim().kvmdb_pool_open(fields.address(), handle.address()), "open the page cache");
            pool.handle = handle.get(ValueLayout.JAVA_LONG, 0);
            return pool;
        }
    }

    long handle() {
        return handle;
    }

    /** Tells which descriptor a device of the segment table is read from. */
    public void device(int index, int fd) {
        Errno.check(ShimLibrary.shim().kvmdb_pool_device(handle, index, fd), "attach device " + index);
    }

    /**
     * Gives the pool its dictionary, once, before anything points to a block that needs it; faults may go on. It is closed
     * after the pool.
     */
    public void useDictionary(CompressionDictionary dictionary) {
        Errno.check(
                ShimLibrary.shim().kvmdb_pool_use_dictionary(handle, dictionary.address()),
                "give the page cache another compression dictionary");
    }

    /** Begins a new epoch; see {@link #epochPassed}. */
    public long advanceEpoch() {
        return ShimLibrary.shim().kvmdb_pool_epoch_advance(handle);
    }

    /** Whether no fault is in flight any more that began before the epoch. */
    public boolean epochPassed(long epoch) {
        return ShimLibrary.shim().kvmdb_pool_epoch_passed(handle, epoch) == 1;
    }

    /** Waits for one of the bits, or STOP, or the time to pass; returns those raised. */
    public int waitForPressure(int bits, long timeoutMillis) {
        return ShimLibrary.shim().kvmdb_pool_wait_pressure(handle, bits, timeoutMillis);
    }

    /** Raises STOP for good. */
    public void stop() {
        ShimLibrary.shim().kvmdb_pool_stop(handle);
    }

    /** Evicts clean pages down to the low-water mark; returns how many. */
    public long evict() {
        return ShimLibrary.shim().kvmdb_pool_evict(handle);
    }

    /** Waits for readers to ask for pages ahead of them, and brings those in; returns how many. */
    public long readAhead(long timeoutMillis) {
        return ShimLibrary.shim().kvmdb_pool_read_ahead(handle, timeoutMillis);
    }

    public long residentBytes() {
        return ShimLibrary.shim().kvmdb_pool_resident_bytes(handle);
    }

    public long dirtyBytes() {
        return ShimLibrary.shim().kvmdb_pool_dirty_bytes(handle);
    }

    /** What the compressed tier has of the budget now. */
    public long tierBytes() {
        return ShimLibrary.shim().kvmdb_pool_tier_bytes(handle);
    }

    /** Dirty bytes above which the background is to steal. */
    public long stealBytes() {
        return ShimLibrary.shim().kvmdb_pool_steal_bytes(handle);
    }

    public FaultCounters counters() {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment counters = arena.allocate(FaultCounters.LENGTH, Long.BYTES);
            ShimLibrary.shim().kvmdb_pool_counters(handle, counters.address());
            return FaultCounters.of(counters);
        }
    }

    /** In nanoseconds, exact to about 6 %, since the pool was opened. */
    public Histogram latency(FaultKind kind) {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment buckets = arena.allocate(ValueLayout.JAVA_LONG, FaultLatency.BUCKETS);
            Errno.check(
                    ShimLibrary.shim().kvmdb_pool_latency(handle, kind.ordinal(), buckets.address()), "read latencies");
            return FaultLatency.histogram(buckets.toArray(ValueLayout.JAVA_LONG));
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            Errno.check(ShimLibrary.shim().kvmdb_pool_close(handle), "close the page cache");
            closed = true;
        }
    }
}
