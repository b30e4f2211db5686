package org.kvmdb.tools.bench;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import org.HdrHistogram.Histogram;
import org.kvmdb.Scope;
import org.kvmdb.Snapshot;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.tools.CommandFailedException;
import org.kvmdb.tools.PageOrder;

/**
 * Faults whose block is in the compressed tier. A snapshot is read until the tier holds all of it, and released each
 * time, which takes its pages out of memory and leaves the tier alone; then pages are touched, timed as all faults are.
 */
final class TierFaults {

    private static final int PAGE_BYTES = 4096;
    private static final int FILL_ROUNDS = 4;

    /** Of data that compress to two thirds: the tier has room for all of them. */
    private static final double TIER_SHARE = 0.75;

    /** As many as fit into what the tier leaves, so that nothing is evicted. */
    private static final int TOUCHED_PART = 8;

    private final Path directory;
    private final int pages;

    TierFaults(Path directory, int pages) {
        this.directory = directory;
        this.pages = pages;
    }

    double p50Nanos() {
        StoreOptions options = StoreOptions.defaults()
                .withCacheSizeBytes((long) pages * PAGE_BYTES)
                .withCompressedTierShare(TIER_SHARE);
        PageOrder order = new PageOrder(pages, 2);
        try (Store store = Store.open(directory, options)) {
            Snapshot snapshot = store.volumes().getFirst().snapshots().getFirst();
            // Not all fits, so that something is evicted: before that the tier takes nothing.
            for (int round = 0; round < FILL_ROUNDS; round++) {
                touch(snapshot, order, pages, new Histogram(3));
                snapshot.release();
            }
            long hits = store.statistics().cache().tierHits();
            Histogram nanos = new Histogram(3);
            touch(snapshot, order, pages / TOUCHED_PART, nanos);
            hits = store.statistics().cache().tierHits() - hits;
            if (hits < pages / TOUCHED_PART * 8 / 10) {
                throw new CommandFailedException(
                        "only %d of %d pages came from the tier".formatted(hits, pages / TOUCHED_PART));
            }
            return nanos.getValueAtPercentile(50);
        }
    }

    private static void touch(Snapshot snapshot, PageOrder order, int count, Histogram nanos) {
        try (Scope _ = snapshot.readScope()) {
            touch(snapshot.memory(), order, count, nanos);
        }
    }

    private static void touch(MemorySegment memory, PageOrder order, int count, Histogram nanos) {
        long sum = 0;
        for (int position = 0; position < count; position++) {
            long offset = order.page(position) * PAGE_BYTES;
            long startNanos = System.nanoTime();
            // Without fences the compiler moves the load out of what is timed.
            VarHandle.fullFence();
            sum += memory.get(ValueLayout.JAVA_LONG, offset);
            VarHandle.fullFence();
            nanos.recordValue(System.nanoTime() - startNanos);
        }
        if (sum == Long.MIN_VALUE) {
            throw new CommandFailedException("no data"); // nobody's business; keeps the loads
        }
    }
}
