package org.kvmdb.tools.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.HdrHistogram.Histogram;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.StoreStatistics;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;
import org.kvmdb.tools.TemporaryDirectory;

/** Much at a time: loading twice the cache with one durable point, transactions of many pages, and whoever writes meanwhile. */
final class LoadBench implements Bench {

    private static final int PAGE_BYTES = 4096;
    private static final long CACHE_BYTES = 512L << 20;
    private static final long LOAD_BYTES = 2 * CACHE_BYTES;
    private static final long PIECE_BYTES = 64L << 20;
    private static final long VOLUME_BYTES = 256L << 20;
    private static final int PAGES = (int) (VOLUME_BYTES / PAGE_BYTES);
    private static final int TRANSACTION_PAGES = 1000;
    private static final int TRANSACTIONS = 50;
    private static final int STALL_PAGES = 10_000;
    private static final int STALL_COMMITS = 10;
    private static final long WRITE_PAUSE_NANOS = 20_000;
    private static final double STALL_PERCENTILE = 99.9;
    private static final double STALL_AIM_NANOS = 100_000;

    @Override
    public List<Figure> run(BenchContext context) throws IOException, InterruptedException {
        Series load = new Series();
        Series transactions = new Series();
        Series written = new Series();
        Series stall = new Series();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment data = context.data(arena, VOLUME_BYTES);
            for (int round = 0; round < context.rounds(); round++) {
                load.add(loadGigabytesPerSecond(context, data), 1);
            }
            StoreOptions options = StoreOptions.defaults().withCacheSizeBytes(2 * CACHE_BYTES);
            try (Store store = Store.create(context.directory().resolve("transactions"), options)) {
                Volume volume = store.createVolume("transactions", VolumeOptions.ofSizeBytes(VOLUME_BYTES));
                volume.write(0, data);
                volume.commit();
                CompilerWatch.warmUp(() -> {
                    transactionPagesPerSecond(volume, -1);
                    stallNanos(volume, -1);
                });
                for (int round = 0; round < context.rounds(); round++) {
                    StoreStatistics.Log before = store.statistics().log();
                    double pages = transactionPagesPerSecond(volume, round);
                    StoreStatistics.Log after = store.statistics().log();
                    double stalled = stallNanos(volume, round);
                    context.say("load: %.0f pages/s in transactions, a writer stalled for %.0f ns", pages, stalled);
                    transactions.add(pages, 1);
                    written.add(
                            after.bytesWritten() - before.bytesWritten(), after.blockBytes() - before.blockBytes());
                    stall.add(stalled, STALL_AIM_NANOS);
                }
            }
        }
        return List.of(
                load.figure("load", "logical bytes, twice the cache, one commit", "GB/s", "1 GB/s", Figure.Aim.atLeast(1.8)),
                transactions.figure("transactions", "pages in transactions of 1,000", "/s", "one a second", Figure.Aim.NONE),
                written.figure(
                        "transactions-written", "bytes written for them", "B", "bytes of blocks", Figure.Aim.atMost(1.05)),
                stall.figure(
                        "stall", "a write during a commit of 10,000 pages, p99.9", "ns", "100 µs", Figure.Aim.atMost(1)));
    }

    private static double loadGigabytesPerSecond(BenchContext context, MemorySegment data) throws IOException {
        StoreOptions options = StoreOptions.defaults().withCacheSizeBytes(CACHE_BYTES);
        try (TemporaryDirectory directory = TemporaryDirectory.create(context.directory(), "load-");
                Store store = Store.create(directory.path().resolve("load"), options)) {
            Volume volume = store.createVolume("load", VolumeOptions.ofSizeBytes(LOAD_BYTES));
            long startNanos = System.nanoTime();
            for (long offset = 0; offset < LOAD_BYTES; offset += PIECE_BYTES) {
                volume.write(offset, data.asSlice(offset % VOLUME_BYTES, PIECE_BYTES));
            }
            volume.commit();
            double gigabytes = LOAD_BYTES / (double) (System.nanoTime() - startNanos);
            context.say("load: %.2f GB/s", gigabytes);
            return gigabytes;
        }
    }

    private static void dirty(Volume volume, int pages, SplittableRandom random) {
        MemorySegment memory = volume.memory();
        for (int i = 0; i < pages; i++) {
            memory.set(ValueLayout.JAVA_LONG, (long) random.nextInt(PAGES) * PAGE_BYTES, i);
        }
    }

    private static double transactionPagesPerSecond(Volume volume, int round) {
        SplittableRandom random = new SplittableRandom(round);
        long startNanos = System.nanoTime();
        for (int i = 0; i < TRANSACTIONS; i++) {
            dirty(volume, TRANSACTION_PAGES, random);
            volume.commit();
        }
        return TRANSACTIONS * TRANSACTION_PAGES * 1e9 / (System.nanoTime() - startNanos);
    }

    /** One thread writes a word to a page now and then, whatever state the page is in, while another commits. */
    private static double stallNanos(Volume volume, int round) throws InterruptedException {
        Histogram stalls = new Histogram(3);
        AtomicBoolean commits = new AtomicBoolean();
        AtomicBoolean stop = new AtomicBoolean();
        Thread writer = new Thread(() -> {
            SplittableRandom random = new SplittableRandom(-round);
            while (!stop.get()) {
                boolean counts = commits.get();
                long startNanos = System.nanoTime();
                dirty(volume, 1, random);
                long endNanos = System.nanoTime();
                if (counts) {
                    stalls.recordValue(endNanos - startNanos);
                }
                while (System.nanoTime() - endNanos < WRITE_PAUSE_NANOS) {
                    Thread.onSpinWait();
                }
            }
        });
        writer.start();
        SplittableRandom random = new SplittableRandom(round);
        try {
            for (int i = 0; i < STALL_COMMITS; i++) {
                dirty(volume, STALL_PAGES, random);
                commits.set(true);
                volume.commit();
                commits.set(false);
            }
        } finally {
            stop.set(true);
            writer.join();
        }
        return stalls.getValueAtPercentile(STALL_PERCENTILE);
    }
}
