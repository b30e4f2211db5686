package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole pages that are written by a call, and were not in memory: what they held is not read. */
@Timeout(120)
class OverwriteTest {

    private static final int BYTES = 16 * TestStores.MIB; // four times the cache

    @TempDir
    Path directory;

    private Store create() {
        return Store.create(directory.resolve("s"), TestStores.small());
    }

    private static Volume makeVolume(Store store, int pageSizeBytes) {
        return store.createVolume("v", VolumeOptions.ofSizeBytes(BYTES).withPageSizeBytes(pageSizeBytes));
    }

    /** Content of pages, of one version, in memory of the heap. */
    private static MemorySegment content(long firstLpn, int pages, int pageSizeBytes, long version) {
        final MemorySegment content = MemorySegment.ofArray(new long[pages * pageSizeBytes / Long.BYTES]);
        for (int i = 0; i < pages; i++) {
            PageContent.write(TestStores.page(content, i, pageSizeBytes), 1, firstLpn + i, version);
        }
        return content;
    }

    /** A commit now and then, so that no write meets a page that is dirty still. */
    private static void writeAll(Volume volume, int pagesPerWrite, long version) {
        final int pageBytes = volume.pageSizeBytes();
        for (int lpn = 0; lpn < BYTES / pageBytes; lpn += pagesPerWrite) {
            volume.write((long) lpn * pageBytes, content(lpn, pagesPerWrite, pageBytes, version));
            if (lpn * pageBytes % (BYTES / 32) == 0) {
                volume.commit();
            }
        }
        volume.commit();
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 16384, 65536})
    void shouldReadNothingOfWhatIsWrittenOver(int pageSizeBytes) {
        final int pages = BYTES / pageSizeBytes;
        try (Store store = create()) {
            final Volume volume = makeVolume(store, pageSizeBytes);
            writeAll(volume, (64 << 10) / pageSizeBytes, 1);
            writeAll(volume, 1, 2);
            final StoreStatistics.Cache cache = store.statistics().cache();
            assertTrue(cache.overwrittenPages() > 2 * pages * 9 / 10, cache::toString);
            assertTrue(cache.filledPages() < pages / 10, cache::toString);
            assertTrue(cache.evictedPages() > pages, cache::toString);
            TestStores.checkPages(volume, 1, 0, pages, 2);
        }
        try (Store store = Store.open(directory.resolve("s"), TestStores.small())) {
            TestStores.checkPages(store.volume("v"), 1, 0, pages, 2);
        }
    }

    /** Against an array: from any offset, of any length, among pages in every state, committed and rolled back. */
    @ParameterizedTest
    @ValueSource(ints = {4096, 65536})
    void shouldLeaveWhatIsBesideIt(int pageSizeBytes) {
        final Random random = new Random(pageSizeBytes);
        try (Store store = create()) {
            final Volume volume = makeVolume(store, pageSizeBytes);
            byte[] current = new byte[BYTES];
            byte[] committed = current.clone();
            for (int round = 0; round < 1500; round++) {
                final byte[] bytes = new byte[1 + random.nextInt(round % 10 == 0 ? 300_000 : 3 * pageSizeBytes)];
                random.nextBytes(bytes);
                final int at = random.nextInt(BYTES - bytes.length);
                volume.write(at, MemorySegment.ofArray(bytes));
                System.arraycopy(bytes, 0, current, at, bytes.length);
                volume.memory().set(ValueLayout.JAVA_BYTE, at, current[at] = 7);
                if (round % 50 == 0) {
                    volume.commit();
                    committed = current.clone();
                } else if (round % 211 == 0) {
                    volume.rollback();
                    current = committed.clone();
                }
            }
            assertTrue(store.statistics().cache().overwrittenPages() > 100);
            assertEquals(-1, volume.memory().mismatch(MemorySegment.ofArray(current)));
            volume.rollback();
            assertEquals(-1, volume.memory().mismatch(MemorySegment.ofArray(committed)));
        }
    }

    /** The source may be memory of the store itself that has to be read first, or overlap with where it goes. */
    @Test
    void shouldTakeWhatIsToBeReadFirst() {
        try (Store store = create();
                Arena arena = Arena.ofConfined()) {
            final Volume volume = makeVolume(store, TestStores.PAGE);
            writeAll(volume, 16, 1);
            final long half = BYTES / 2;
            final MemorySegment expected = arena.allocate(64 << 10);
            for (long at = 0; at < half; at += expected.byteSize()) {
                volume.read(at, expected);
                volume.write(half + at, volume.memory().asSlice(at, expected.byteSize()));
                assertEquals(-1, volume.memory().asSlice(half + at, expected.byteSize()).mismatch(expected));
                if (at % TestStores.MIB == 0) {
                    volume.commit();
                }
            }
            volume.read(TestStores.PAGE, expected);
            volume.commit();
            volume.read(half, MemorySegment.ofArray(new byte[(int) half])); // the first half goes
            volume.write(0, volume.memory().asSlice(TestStores.PAGE, expected.byteSize()));
            assertEquals(-1, volume.memory().asSlice(0, expected.byteSize()).mismatch(expected));
        }
    }

    /** As when the pages are written in memory. */
    @Test
    void shouldSayThatThereIsNoSpace() {
        try (Store store =
                Store.create(directory.resolve("s"), TestStores.small().withMaxSizeBytes(8L * TestStores.MIB))) {
            final Volume volume = makeVolume(store, TestStores.PAGE);
            volume.write(0, content(0, 4, TestStores.PAGE, 1));
            volume.commit();
            assertThrows(StoreFullException.class, () -> {
                for (int lpn = 4; lpn < BYTES / TestStores.PAGE; lpn++) {
                    try {
                        volume.write((long) lpn * TestStores.PAGE, content(2 * lpn + 1, 1, TestStores.PAGE, 1));
                    } catch (InternalError e) {
                        assertTrue(volume.badPageCount() > 0);
                    }
                    if (lpn % 100 == 0) {
                        volume.commit();
                    }
                }
            });
            assertTrue(store.statistics().cache().overwrittenPages() > 500);
            volume.rollback();
            TestStores.checkPages(volume, 1, 0, 4, 1);
            volume.commit();
        }
    }
}
