package org.kvmdb;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * What {@link GcStormTest} runs under each collector: readers and writers of data larger than the cache, commits,
 * checkpoints, garbage, and forced collections, all at once. A fault that waited for what only Java can finish would hang at
 * the first of them.
 */
final class GcStorm {

    private static final int WORKERS = 3;
    private static final int PAGES_PER_WORKER = 1200;
    private static volatile Object sink;

    private final Store store;
    private final long deadlineNanos;
    private final long seed;

    private GcStorm(Store store, long deadlineNanos, long seed) {
        this.store = store;
        this.deadlineNanos = deadlineNanos;
        this.seed = seed;
    }

    /** Arguments: directory, seconds, seed. */
    public static void main(String[] arguments) throws InterruptedException {
        final long deadline = System.nanoTime() + Long.parseLong(arguments[1]) * 1_000_000_000L;
        try (Store store = Store.create(Path.of(arguments[0]), TestStores.small().withMaxSizeBytes(4L << 30))) {
            new GcStorm(store, deadline, Long.parseLong(arguments[2])).run();
            final StoreStatistics.Cache cache = store.statistics().cache();
            System.out.printf("ok faults=%d evicted=%d aside=%d stolen=%d spilled=%d commits=%d%n",
                    cache.readFaults() + cache.writeFaults() + cache.firstWriteFaults(), cache.evictedPages(), cache.copiedAside(), cache.stolenPages(),
                    cache.spilledPages(), store.statistics().log().commits());
        }
    }

    private boolean goesOn() {
        return System.nanoTime() < deadlineNanos;
    }

    private void run() throws InterruptedException {
        final List<Thread> threads = new ArrayList<>();
        for (int w = 0; w < WORKERS; w++) {
            final int worker = w;
            final int pageSize = w == 0 ? 16384 : 4096;
            final Volume volume = store.createVolume(
                    "v" + w,
                    VolumeOptions.ofSizeBytes((long) PAGES_PER_WORKER * pageSize).withPageSizeBytes(pageSize));
            threads.add(start("worker-" + w, () -> work(volume, worker)));
        }
        threads.add(start("committer", this::commitAndCheckpoint));
        threads.add(start("garbage", this::makeGarbage));
        threads.add(start("collector", this::collect));
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private static Thread start(String name, Runnable work) {
        final Thread thread = new Thread(work, name);
        thread.setUncaughtExceptionHandler((t, e) -> {
            e.printStackTrace(System.out);
            Runtime.getRuntime().halt(3);
        });
        thread.start();
        return thread;
    }

    private void work(Volume volume, int worker) {
        final Random random = new Random(seed * 10 + worker);
        final int[] versions = new int[PAGES_PER_WORKER];
        final MemorySegment memory = volume.memory();
        int cursor = 0;
        while (goesOn()) {
            // In sequence and at random, in turns.
            final int lpn = random.nextInt(4) == 0 ? random.nextInt(PAGES_PER_WORKER) : cursor++ % PAGES_PER_WORKER;
            final MemorySegment page = TestStores.page(memory, lpn, volume.pageSizeBytes());
            PageContent.check(page, worker, lpn, versions[lpn]);
            if (random.nextInt(3) == 0) {
                PageContent.write(page, worker, lpn, ++versions[lpn]);
            }
        }
        for (int lpn = 0; lpn < PAGES_PER_WORKER; lpn++) {
            PageContent.check(TestStores.page(memory, lpn, volume.pageSizeBytes()), worker, lpn, versions[lpn]);
        }
    }

    private void commitAndCheckpoint() {
        for (int i = 0; goesOn(); i++) {
            store.commit();
            if (i % 100 == 0) {
                store.checkpoint();
            }
        }
    }

    private void makeGarbage() {
        final Random random = new Random(seed);
        while (goesOn()) {
            final byte[][] garbage = new byte[64][];
            for (int i = 0; i < garbage.length; i++) {
                garbage[i] = new byte[1 + random.nextInt(40_000)];
            }
            sink = garbage;
        }
    }

    private void collect() {
        while (goesOn()) {
            System.gc();
        }
    }
}
