package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads by a call that several threads do together: what they bring, what they take, and what becomes of failures. */
class LargeReadTest {

    private static final int PAGES = 8192;
    private static final long BYTES = (long) PAGES * TestStores.PAGE;
    /** Room for a few pieces, so that readers that come together get in each other's way. */
    private static final long CACHE_BYTES = 24L << 20;

    @TempDir
    private Path directory;

    private Store store;
    private Volume volume;

    @BeforeEach
    void open() {
        store = Store.create(
                directory.resolve("s"),
                StoreOptions.defaults().withCacheSizeBytes(CACHE_BYTES).withDirectReads(true));
        volume = store.createVolume("v", VolumeOptions.ofSizeBytes(BYTES));
        TestStores.writePages(volume, 1, 0, PAGES, 1);
        store.commit();
    }

    @AfterEach
    void close() {
        store.close();
    }

    private static void check(MemorySegment copy, long firstLpn) {
        for (long at = 0; at < copy.byteSize(); at += TestStores.PAGE) {
            PageContent.check(copy.asSlice(at, TestStores.PAGE), 1, firstLpn + at / TestStores.PAGE, 1);
        }
    }

    @Test
    void shouldBringEveryByteFromWherever() {
        final MemorySegment all = MemorySegment.ofArray(new long[(int) (BYTES / Long.BYTES)]);
        volume.read(0, all);
        check(all, 0);
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment part = arena.allocate(BYTES / 2 + 7);
            volume.read(BYTES / 4 - 3, part);
            assertEquals(-1, MemorySegment.mismatch(
                    part, 0, part.byteSize(), all, BYTES / 4 - 3, BYTES / 4 - 3 + part.byteSize()));
        }
        final StoreStatistics.Cache cache = store.statistics().cache();
        assertTrue(cache.residentBytes() <= CACHE_BYTES + CACHE_BYTES / 10, cache::toString);
    }

    @Test
    void shouldServeManyReadersAtATime() throws Exception {
        try (ExecutorService executor = Executors.newFixedThreadPool(6)) {
            final List<Future<?>> readers = new ArrayList<>();
            for (int reader = 0; reader < 6; reader++) {
                final long first = reader * 1000L;
                readers.add(executor.submit(() -> {
                    final MemorySegment copy = MemorySegment.ofArray(new long[2000 * TestStores.PAGE / Long.BYTES]);
                    for (int i = 0; i < 5; i++) {
                        volume.read(first * TestStores.PAGE, copy);
                        check(copy, first);
                    }
                }));
            }
            for (Future<?> reader : readers) {
                reader.get();
            }
        }
    }

    /** What calls in order will ask for is read before they do. What changes until then, they bring as it is by then. */
    @Test
    void shouldBringWhatChangedBetweenCallsInOrder() {
        for (int callPages : new int[] {1, 16, 64, 256}) {
            final MemorySegment copy = MemorySegment.ofArray(new long[callPages * TestStores.PAGE / Long.BYTES]);
            final int changed = 256;
            for (int lpn = 0, version = 1; lpn < PAGES; lpn += callPages) {
                if (lpn % 512 == 0 && lpn >= 1024) {
                    version = callPages + 1;
                    TestStores.writePages(volume, 1, lpn + 64, lpn + 64 + changed, version); // committed
                    store.commit();
                    TestStores.writePages(volume, 1, lpn + 64, lpn + 64 + 32, version + 1); // and not
                }
                volume.read((long) lpn * TestStores.PAGE, copy);
                for (int i = 0; i < callPages; i++) {
                    final int at = (lpn + i) % 512 - 64;
                    final boolean isChanged = lpn + i >= 1024 && at >= 0 && at < changed;
                    PageContent.check(
                            copy.asSlice((long) i * TestStores.PAGE, TestStores.PAGE),
                            1,
                            lpn + i,
                            !isChanged ? 1 : at < 32 ? version + 1 : version);
                }
            }
            TestStores.writePages(volume, 1, 0, PAGES, 1);
            store.commit();
        }
    }

    /** More often than there are pieces: none may be lost by it. */
    @Test
    void shouldFailAsAWholeAndGoOnAfterwards() throws IOException {
        final Path path = directory.resolve("s");
        store.close();
        TestStores.flipBitOfPage(TestStores.dataFile(path), PageContent.identity(1, 3001, 1));
        store = Store.open(path, StoreOptions.defaults().withCacheSizeBytes(CACHE_BYTES).withDirectReads(true));
        volume = store.volume("v");
        final MemorySegment all = MemorySegment.ofArray(new long[(int) (BYTES / Long.BYTES)]);
        for (int i = 0; i < 20; i++) {
            final CorruptPageException e = assertThrows(CorruptPageException.class, () -> volume.read(0, all));
            assertEquals(3001, e.lpn());
        }
        volume.read(0, all.asSlice(0, 3001L * TestStores.PAGE));
        check(all.asSlice(0, 3001L * TestStores.PAGE), 0);
    }
}
