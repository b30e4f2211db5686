package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One bit of one page's block is flipped while the store is closed. */
@Timeout(120)
class CorruptPageTest {

    private static final int PAGES = 64;

    /** Odd: it does not compress, so that its words are found in the file. */
    private static final long BAD = 21;

    @TempDir
    Path directory;

    private Path storeWithABadPage(int pageSizeBytes) throws IOException {
        final Path path = directory.resolve("s");
        try (Store store = Store.create(path, TestStores.small())) {
            final Volume volume = store.createVolume(
                    "v", VolumeOptions.ofSizeBytes((long) PAGES * pageSizeBytes).withPageSizeBytes(pageSizeBytes));
            TestStores.writePages(volume, 1, 0, PAGES, 1);
            store.createVolume("good", VolumeOptions.ofSizeBytes(1 << 20));
            store.commit();
        }
        TestStores.flipBitOfPage(TestStores.dataFile(path), PageContent.identity(1, BAD, 1));
        return path;
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 16384})
    void shouldNameTheBadPageToWhoeverAsks(int pageSizeBytes) throws IOException {
        try (Store store = Store.open(storeWithABadPage(pageSizeBytes), TestStores.small())) {
            final Volume volume = store.volume("v");
            assertBlamed(() -> volume.load(BAD * pageSizeBytes + 5, 1));
            assertBlamed(() -> volume.load(0, (long) PAGES * pageSizeBytes));
            assertBlamed(() -> volume.read(0, MemorySegment.ofArray(new byte[PAGES * pageSizeBytes])));
            assertBlamed(() -> volume.pin(BAD * pageSizeBytes, 10, PinMode.READ));
            assertBlamed(() -> {
                try (Scope _ = volume.readScope()) {
                    touch(volume);
                }
            });
            assertBlamed(() -> {
                try (Scope _ = volume.writeScope()) {
                    touch(volume);
                }
            });
            assertTrue(volume.badPageCount() >= 6, () -> "counted: " + volume.badPageCount());
            assertEquals(volume.badPageCount(), store.statistics().cache().badPages());
            // Scopes that touched nothing bad, and all other pages, are as ever.
            try (Scope _ = volume.readScope()) {
                TestStores.checkPages(volume, 1, 0, BAD, 1);
                TestStores.checkPages(volume, 1, BAD + 1, PAGES, 1);
            }
            volume.load(0, BAD * pageSizeBytes);
        }
    }

    /** Ends normally or with an InternalError: when that is delivered is up to the JVM. */
    private static void touch(Volume volume) {
        try {
            final long unused = TestStores.page(volume, BAD).get(ValueLayout.JAVA_LONG, 64);
            assertTrue(unused <= Long.MAX_VALUE);
        } catch (InternalError e) {
            assertTrue(e.getMessage().contains("fault"), e.toString());
        }
    }

    private static void assertBlamed(Runnable action) {
        final CorruptPageException e = assertThrows(CorruptPageException.class, action::run);
        assertEquals("v", e.volume());
        assertEquals(BAD, e.lpn());
        assertNotEquals(0, e.ppn());
        assertTrue(e.getMessage().contains("checksum"), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 65536})
    void shouldCommitNothingUntilRolledBackWhenABadPageWasMet(int pageSizeBytes) throws IOException {
        final Path path = storeWithABadPage(pageSizeBytes);
        try (Store store = Store.open(path, TestStores.small())) {
            final Volume volume = store.volume("v");
            final Volume good = store.volume("good");
            touch(volume);
            PageContent.write(TestStores.page(volume, 3), 1, 3, 2);
            PageContent.write(TestStores.page(good, 3), 2, 3, 2);
            assertBlamed(volume::commit);
            assertBlamed(store::commit);
            assertBlamed(store::commitAsync);
            // A volume that has nothing to do with it is committed.
            good.commit();
            TestStores.checkPages(volume, 1, 3, 4, 2);
            store.rollback();
            TestStores.checkPages(volume, 1, 3, 4, 1);
            PageContent.write(TestStores.page(volume, 4), 1, 4, 3);
            store.commit();
        }
        try (Store store = Store.open(path, TestStores.small())) {
            TestStores.checkPages(store.volume("v"), 1, 3, 4, 1);
            TestStores.checkPages(store.volume("v"), 1, 4, 5, 3);
            TestStores.checkPages(store.volume("good"), 2, 3, 4, 2);
        }
    }

    /** Long enough to be compiled: never may a value leave a scope that is not the page's. */
    @ParameterizedTest
    @ValueSource(ints = {4096, 16384})
    void shouldLetNoWrongValueOutOfAScopeInCompiledCode(int pageSizeBytes) throws IOException {
        try (Store store = Store.open(storeWithABadPage(pageSizeBytes), TestStores.small())) {
            final Volume volume = store.volume("v");
            final long[] sums = new long[PAGES];
            for (int lpn = 0; lpn < PAGES; lpn++) {
                if (lpn != BAD) {
                    sums[lpn] = sum(TestStores.page(volume, lpn));
                }
            }
            int caught = 0;
            for (int round = 0; round < 30_000; round++) {
                final int lpn = round % 16 == 0 ? (int) BAD : round % PAGES;
                try {
                    final long sum = scopedSum(volume, lpn);
                    if (lpn == BAD || sum != sums[lpn]) {
                        fail("round %d: a wrong value left the scope: lpn=%d sum=%d".formatted(round, lpn, sum));
                    }
                } catch (CorruptPageException | InternalError e) {
                    assertEquals(BAD, lpn, e::toString);
                    caught++;
                }
            }
            assertTrue(caught >= 30_000 / 16, "caught " + caught);
        }
    }

    private static long scopedSum(Volume volume, int lpn) {
        final long sum;
        try (Scope _ = volume.readScope()) {
            sum = sum(TestStores.page(volume, lpn));
        }
        return sum;
    }

    private static long sum(MemorySegment page) {
        long sum = 0;
        for (long at = 0; at < 512; at += Long.BYTES) {
            sum = sum * 31 + page.get(ValueLayout.JAVA_LONG, at);
        }
        return sum;
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 16384})
    void shouldSurviveNativeAndIntrinsicAccessToABadPage(int pageSizeBytes) throws Exception {
        final Path path = storeWithABadPage(pageSizeBytes);
        try (ChildJvm child = ChildJvm.start(directory, List.of("-Xmx128m"), BadPageChild.class, path, BAD)) {
            assertTrue(child.awaitSuccess(60).contains("survived"), child.output());
        }
    }

    /** By a call, which does know: that is how a bad page is mended. */
    @ParameterizedTest
    @ValueSource(ints = {4096, 16384})
    void shouldLetABadPageBeWrittenOver(int pageSizeBytes) throws IOException {
        final Path path = storeWithABadPage(pageSizeBytes);
        final MemorySegment content = MemorySegment.ofArray(new long[pageSizeBytes / Long.BYTES]);
        PageContent.write(content, 1, BAD, 2);
        try (Store store = Store.open(path, TestStores.small())) {
            store.volume("v").write(BAD * pageSizeBytes, content);
            store.commit();
            assertEquals(0, store.volume("v").badPageCount());
        }
        try (Store store = Store.open(path, TestStores.small())) {
            TestStores.checkPages(store.volume("v"), 1, 0, BAD, 1);
            TestStores.checkPages(store.volume("v"), 1, BAD, BAD + 1, 2);
            TestStores.checkPages(store.volume("v"), 1, BAD + 1, PAGES, 1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4096})
    void shouldRefuseToCommitWritesToABadPage(int pageSizeBytes) throws IOException {
        final Path path = storeWithABadPage(pageSizeBytes);
        try (Store store = Store.open(path, TestStores.small())) {
            // To write a page is to read it first: the memory does not know that all of it will be written.
            try {
                PageContent.write(TestStores.page(store.volume("v"), BAD), 1, BAD, 2);
            } catch (InternalError e) {
                assertTrue(store.volume("v").badPageCount() > 0);
            }
            assertBlamed(store::commit);
            store.rollback();
            store.deleteVolume("v");
            store.commit();
        }
        try (Store store = Store.open(path, TestStores.small())) {
            assertEquals(1, store.volumes().size());
        }
    }
}
