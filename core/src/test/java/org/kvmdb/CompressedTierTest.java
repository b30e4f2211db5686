package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Blocks that stay in memory compressed: that they help, that they fit the budget, and that they are never another's. */
class CompressedTierTest {

    private static final int PAGE_BYTES = 4096;
    private static final int PAGES = 8192;
    private static final long CACHE_BYTES = 10L << 20;

    @TempDir
    private Path directory;

    private static StoreOptions options(boolean directReads) {
        return StoreOptions.defaults()
                .withCacheSizeBytes(CACHE_BYTES)
                .withSegmentSizeBytes(1 << 20)
                .withCompressedTierShare(0.6)
                .withDirectReads(directReads);
    }

    /** Content of a page that compresses to about a third, and says what it is in every part. */
    private static long word(long version, long page, int index) {
        return index % 3 == 0 ? new SplittableRandom(version * 31 + page * 7919 + index).nextLong() : version << 32 | page;
    }

    private static void writePage(MemorySegment memory, long version, long page) {
        for (int i = 0; i < PAGE_BYTES / Long.BYTES; i++) {
            memory.set(ValueLayout.JAVA_LONG, page * PAGE_BYTES + (long) i * Long.BYTES, word(version, page, i));
        }
    }

    private static void checkPage(MemorySegment memory, long version, long page) {
        checkCopy(memory.asSlice(page * PAGE_BYTES, PAGE_BYTES), version, page);
    }

    private static void checkCopy(MemorySegment copy, long version, long page) {
        for (int i = 0; i < PAGE_BYTES / Long.BYTES; i++) {
            final long found = copy.get(ValueLayout.JAVA_LONG_UNALIGNED, (long) i * Long.BYTES);
            assertEquals(word(version, page, i), found, "page " + page + " of version " + version);
        }
    }

    private static Volume filled(Store store, String name, long version) {
        final Volume volume = store.createVolume(name, VolumeOptions.ofSizeBytes((long) PAGES * PAGE_BYTES));
        for (long page = 0; page < PAGES; page++) {
            writePage(volume.memory(), version, page);
        }
        volume.commit();
        return volume;
    }

    private static void checkAtRandom(MemorySegment memory, long version, int reads, long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < reads; i++) {
            checkPage(memory, version, random.nextLong(PAGES));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldServeEvictedPagesWithinTheBudget(boolean directReads) {
        try (Store store = Store.create(directory.resolve("store"), options(directReads))) {
            final Volume volume = filled(store, "a", 1);
            checkAtRandom(volume.memory(), 1, 3 * PAGES, 1);
            final StoreStatistics.Cache cache = store.statistics().cache();
            assertTrue(cache.tierHits() > PAGES / 8, cache::toString);
            assertTrue(cache.tierMisses() > 0, cache::toString);
            assertTrue(cache.tierBlocks() > 1000, cache::toString);
            assertTrue(cache.tierBytes() > CACHE_BYTES / 4 && cache.tierBytes() <= CACHE_BYTES * 6 / 10, cache::toString);
            assertTrue(cache.residentBytes() <= CACHE_BYTES + CACHE_BYTES / 10, cache::toString);
            assertEquals(0, cache.badPages());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldServeReadsByCallsWithoutFrames(boolean directReads) {
        try (Store store = Store.create(directory.resolve("store"), options(directReads))) {
            final Volume volume = filled(store, "a", 1);
            checkAtRandom(volume.memory(), 1, PAGES, 1);
            final StoreStatistics.Cache before = store.statistics().cache();
            final SplittableRandom random = new SplittableRandom(2);
            final byte[] copy = new byte[3 * PAGE_BYTES];
            for (int i = 0; i < 2 * PAGES; i++) {
                final long page = random.nextLong(PAGES - 2);
                volume.read(page * PAGE_BYTES + 100, MemorySegment.ofArray(copy).asSlice(100, copy.length - 200));
                checkCopy(MemorySegment.ofArray(copy).asSlice(PAGE_BYTES, PAGE_BYTES), 1, page + 1);
            }
            final StoreStatistics.Cache after = store.statistics().cache();
            final long passedPages = after.passedPages() - before.passedPages();
            assertTrue(passedPages > 4 * PAGES, after::toString);
            final long passedReads = store.statistics().latencies().passedRead().count();
            assertTrue(passedReads > 0 && passedReads <= after.passedPages(), after::toString);
            assertTrue(after.filledPages() - before.filledPages() < passedPages / 4, after::toString);
            assertTrue(after.tierHits() - before.tierHits() > PAGES / 4, after::toString);
            assertTrue(after.residentBytes() <= CACHE_BYTES + CACHE_BYTES / 10, after::toString);
            assertEquals(0, after.badPages());
        }
    }

    /** Also into memory whose own pages are missing, of this volume and of another, and larger than any piece. */
    @Test
    void shouldReadByCallsIntoWhateverMemory() {
        try (Store store = Store.create(directory.resolve("store"), options(true));
                Arena arena = Arena.ofConfined()) {
            final Volume volume = filled(store, "a", 1);
            final Volume other = store.createVolume("b", VolumeOptions.ofSizeBytes((long) PAGES * PAGE_BYTES));
            final long pages = 300;
            final long bytes = pages * PAGE_BYTES;
            final List<MemorySegment> targets = List.of(
                    MemorySegment.ofArray(new byte[(int) bytes]),
                    MemorySegment.ofArray(new long[(int) bytes / Long.BYTES]),
                    arena.allocate(bytes),
                    other.memory().asSlice(7 * PAGE_BYTES, bytes),
                    volume.memory().asSlice(bytes, bytes));
            for (MemorySegment target : targets) {
                volume.read(0, target);
                for (long page = 0; page < pages; page++) {
                    checkCopy(target.asSlice(page * PAGE_BYTES, PAGE_BYTES), 1, page);
                }
            }
            assertThrows(IllegalArgumentException.class, () -> volume.read(0, arena.allocate(64).asReadOnly()));
            volume.rollback();
        }
    }

    @Test
    void shouldHaveNoMemoryWithoutAShareOrWithoutEviction() {
        try (Store store = Store.create(directory.resolve("none"), options(false).withCompressedTierShare(0))) {
            checkAtRandom(filled(store, "a", 1).memory(), 1, PAGES, 1);
            assertEquals(0, store.statistics().cache().tierBytes());
            assertEquals(0, store.statistics().cache().tierHits());
        }
        try (Store store = Store.create(directory.resolve("room"), options(false).withCacheSizeBytes(128L << 20))) {
            checkAtRandom(filled(store, "a", 1).memory(), 1, PAGES, 1);
            assertEquals(0, store.statistics().cache().tierBytes());
        }
    }

    @Test
    void shouldRefuseSharesThatLeaveNoFrames() {
        for (double share : new double[] {-0.01, 0.95, Double.NaN}) {
            assertThrows(
                    IllegalArgumentException.class, () -> StoreOptions.defaults().withCompressedTierShare(share));
        }
    }

    /** The same LPNs and often the same blocks, under several names, while the cleaner moves what lives. */
    @Test
    void shouldTellVersionsApartWhileBlocksMove() throws InterruptedException {
        try (Store store = Store.create(
                directory.resolve("store"), options(false).withMaxSizeBytes(96L << 20))) {
            final Volume volume = filled(store, "a", 1);
            final Snapshot first = volume.snapshot("first");
            final Volume clone = first.cloneAs("b");
            final AtomicReference<Throwable> failure = new AtomicReference<>();
            final List<Thread> readers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                final MemorySegment memory = i % 2 == 0 ? first.memory() : clone.memory();
                final long seed = i;
                readers.add(Thread.ofPlatform()
                        .uncaughtExceptionHandler((t, e) -> failure.set(e))
                        .start(() -> checkAtRandom(memory, 1, 2 * PAGES, seed)));
            }
            final SplittableRandom random = new SplittableRandom(5);
            final long[] versions = new long[PAGES];
            for (int round = 2; round <= 12; round++) {
                for (int i = 0; i < PAGES / 4; i++) { // so that segments die in part, and the rest is moved
                    final int page = random.nextInt(PAGES);
                    versions[page] = round;
                    writePage(volume.memory(), round, page);
                }
                volume.commit();
                for (int i = 0; i < PAGES / 4; i++) {
                    final int page = random.nextInt(PAGES);
                    checkPage(volume.memory(), Math.max(1, versions[page]), page);
                }
            }
            for (Thread reader : readers) {
                reader.join();
            }
            if (failure.get() != null) {
                throw new AssertionError(failure.get());
            }
            volume.rollbackTo(first);
            checkAtRandom(volume.memory(), 1, PAGES, 7);
            for (long page = 0; page < PAGES; page += 2) {
                writePage(volume.memory(), 9, page);
            }
            volume.rollback();
            checkAtRandom(volume.memory(), 1, PAGES, 8);
            final StoreStatistics statistics = store.statistics();
            assertTrue(statistics.cleaning().blocks() > 0, statistics::toString);
            assertTrue(statistics.cache().tierHits() > PAGES / 8, statistics::toString);
            assertEquals(0, statistics.cache().badPages());
        }
    }
}
