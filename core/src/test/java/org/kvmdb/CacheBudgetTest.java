package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Data many times larger than the cache, and transactions larger than it, within the budget. */
@Timeout(180)
class CacheBudgetTest {

    private static final long CACHE_BYTES = 16L << 20;
    private static final int PAGES = (int) (10 * CACHE_BYTES / TestStores.PAGE);
    private static final int THREADS = 4;
    private static final int PAGES_PER_THREAD = PAGES / THREADS;
    private static final StoreOptions OPTIONS =
            StoreOptions.defaults().withCacheSizeBytes(CACHE_BYTES).withSegmentSizeBytes(1 << 20);

    @TempDir
    Path directory;

    /** Looks at the memory of a volume, from outside and through the statistics, until it is stopped. */
    private static final class Watch implements AutoCloseable {
        private final Store store;
        private final long address;
        private final AtomicBoolean stop = new AtomicBoolean();
        private final AtomicLong residentMax = new AtomicLong();
        private final AtomicLong reportedMax = new AtomicLong();
        private final Thread thread = new Thread(this::watch);

        Watch(Store store, Volume volume) {
            this.store = store;
            this.address = volume.memory().address();
            thread.start();
        }

        private void watch() {
            while (!stop.get()) {
                residentMax.accumulateAndGet(residentBytes(address), Math::max);
                reportedMax.accumulateAndGet(store.statistics().cache().residentBytes(), Math::max);
                try {
                    Thread.sleep(20);
                } catch (InterruptedException e) {
                    return;
                }
            }
        }

        @Override
        public void close() {
            stop.set(true);
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            final long limit = CACHE_BYTES + CACHE_BYTES / 10;
            assertTrue(residentMax.get() <= limit, () -> "resident: " + residentMax + " of " + CACHE_BYTES);
            assertTrue(reportedMax.get() <= limit, () -> "reported: " + reportedMax + " of " + CACHE_BYTES);
            assertTrue(reportedMax.get() >= residentMax.get() / 2, () -> "reported: " + reportedMax);
        }
    }

    /** Rss of the mappings that begin within the terabyte at the address, as the kernel counts it. */
    private static long residentBytes(long address) {
        long bytes = 0;
        boolean isOurs = false;
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
                if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                    final long begin = Long.parseUnsignedLong(line.substring(0, line.indexOf('-')), 16);
                    isOurs = begin >= address && begin < address + (1L << 34);
                } else if (isOurs && line.startsWith("Rss:")) {
                    bytes += Long.parseLong(line.replaceAll("\\D", "")) << 10;
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return bytes;
    }

    @Test
    void shouldStayWithinTheBudgetWhileTenTimesAsMuchIsReadAndWritten() throws Exception {
        final int[] versions = new int[PAGES];
        try (Store store = Store.create(directory, OPTIONS)) {
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes((long) PAGES * TestStores.PAGE));
            try (Watch _ = new Watch(store, volume)) {
                inThreads(thread -> fill(store, volume, versions, thread));
                inThreads(thread -> readInSequence(volume, versions, thread));
                inThreads(thread -> readAndWriteAtRandom(store, volume, versions, thread));
                inThreads(thread -> readInSequence(volume, versions, (thread + 1) % THREADS));
            }
            store.commit();
            final StoreStatistics.Cache cache = store.statistics().cache();
            assertTrue(cache.evictedPages() > PAGES, () -> "evicted " + cache.evictedPages());
            assertEquals(0, cache.badPages());
        }
        try (Store store = Store.open(directory, OPTIONS)) {
            final Volume volume = store.volume("v");
            try (Watch _ = new Watch(store, volume)) {
                inThreads(thread -> readInSequence(volume, versions, thread));
            }
            final StoreStatistics.Cache cache = store.statistics().cache();
            assertTrue(cache.readAheadPages() > PAGES / 2, cache::toString);
            assertTrue(cache.readAheadUsedPages() > PAGES / 4, cache::toString);
            assertTrue(cache.readAheadUsedPages() <= cache.readAheadPages(), cache::toString);
        }
    }

    @Test
    void shouldNotReadAheadOfRandomReads() {
        try (Store store = Store.create(directory, OPTIONS)) {
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes((long) PAGES * TestStores.PAGE));
            try (Scope _ = volume.writeScope()) {
                for (long lpn = 0; lpn < PAGES; lpn++) {
                    PageContent.write(TestStores.page(volume, lpn), 1, lpn, 1);
                }
            }
            store.commit();
            final StoreStatistics.Cache before = store.statistics().cache();
            final Random random = new Random(5);
            try (Scope _ = volume.readScope()) {
                for (int i = 0; i < PAGES; i++) {
                    final long lpn = random.nextInt(PAGES);
                    PageContent.check(TestStores.page(volume, lpn), 1, lpn, 1);
                }
            }
            final StoreStatistics.Cache after = store.statistics().cache();
            assertEquals(before.readAheadPages(), after.readAheadPages());
            final long faults = after.readFaults() - before.readFaults();
            final long filled = after.filledPages() - before.filledPages();
            assertTrue(faults > PAGES / 2, () -> "faults " + faults);
            assertTrue(filled - faults < faults / 100, () -> "filled %d in %d faults".formatted(filled, faults));
        }
    }

    private interface Work {
        void run(int thread);
    }

    private static void inThreads(Work work) throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            final List<Future<?>> done = new ArrayList<>();
            for (int t = 0; t < THREADS; t++) {
                final int thread = t;
                done.add(threads.submit(() -> work.run(thread)));
            }
            for (Future<?> future : done) {
                future.get(120, TimeUnit.SECONDS);
            }
        }
    }

    private static void fill(Store store, Volume volume, int[] versions, int thread) {
        for (int lpn = thread * PAGES_PER_THREAD; lpn < (thread + 1) * PAGES_PER_THREAD; lpn++) {
            versions[lpn] = 1;
            PageContent.write(TestStores.page(volume, lpn), 1, lpn, 1);
            if (lpn % 1000 == 0) {
                store.commit();
            }
        }
    }

    private static void readInSequence(Volume volume, int[] versions, int thread) {
        for (int lpn = thread * PAGES_PER_THREAD; lpn < (thread + 1) * PAGES_PER_THREAD; lpn++) {
            PageContent.check(TestStores.page(volume, lpn), 1, lpn, versions[lpn]);
        }
    }

    private static void readAndWriteAtRandom(Store store, Volume volume, int[] versions, int thread) {
        final Random random = new Random(77 + thread);
        for (int i = 0; i < 8000; i++) {
            final int lpn = thread * PAGES_PER_THREAD + random.nextInt(PAGES_PER_THREAD);
            PageContent.check(TestStores.page(volume, lpn), 1, lpn, versions[lpn]);
            if (random.nextInt(3) == 0) {
                PageContent.write(TestStores.page(volume, lpn), 1, lpn, ++versions[lpn]);
            }
            if (random.nextInt(500) == 0) {
                store.commit();
            }
        }
    }

    @Test
    void shouldCommitAndRollBackTransactionsLargerThanTheCache() {
        final int pages = (int) (4 * CACHE_BYTES / TestStores.PAGE);
        try (Store store = Store.create(directory, OPTIONS)) {
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes((long) PAGES * TestStores.PAGE));
            try (Watch _ = new Watch(store, volume)) {
                TestStores.writePages(volume, 1, 0, pages, 1);
                TestStores.checkPages(volume, 1, 0, pages, 1);
                // Some are stolen, some of those written again.
                TestStores.writePages(volume, 1, pages / 2, pages / 2 + 500, 2);
                final long stolen = store.statistics().cache().stolenPages();
                assertTrue(stolen > 0, "nothing was stolen");
                store.commit();
                TestStores.writePages(volume, 1, 100, pages + 100, 3);
                store.rollback();
                checkFirstTransaction(volume, pages);
            }
            assertEquals(0, store.statistics().cache().dirtyBytes());
        }
        try (Store store = Store.open(directory, OPTIONS)) {
            checkFirstTransaction(store.volume("v"), pages);
        }
    }

    private static void checkFirstTransaction(Volume volume, int pages) {
        TestStores.checkPages(volume, 1, 0, pages / 2, 1);
        TestStores.checkPages(volume, 1, pages / 2, pages / 2 + 500, 2);
        TestStores.checkPages(volume, 1, pages / 2 + 500, pages, 1);
        TestStores.checkPages(volume, 1, pages, pages + 100, 0);
    }
}
