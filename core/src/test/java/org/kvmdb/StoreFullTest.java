package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No room: a typed error before anything durable changed, a store that goes on reading, and writes again with room. */
@Timeout(120)
class StoreFullTest {

    private static final long MAX_BYTES = 8 << 20;
    private static final int PAGES = 8192;

    @TempDir
    Path directory;

    private static StoreOptions options() {
        return TestStores.small().withMaxSizeBytes(MAX_BYTES);
    }

    /** Odd pages do not compress. Returns how many went in before there was no room. */
    private static int fill(Store store, Volume volume, int from, int perCommit) {
        int committed = from;
        try {
            while (committed < PAGES) {
                try (Scope _ = volume.writeScope()) {
                    for (int i = 0; i < perCommit; i++) {
                        writeQuietly(volume, committed + i, 1);
                    }
                }
                store.commit();
                committed += perCommit;
            }
        } catch (StoreFullException e) {
            assertTrue(e.getMessage().startsWith("store full"), e.getMessage());
            assertFalse(e.getMessage().contains("file system"), e.getMessage());
            return committed;
        }
        throw new AssertionError("the store was never full");
    }

    /** A write that finds no room raises an error in Java code; what counts is what the scope says. */
    private static void writeQuietly(Volume volume, int lpn, int version) {
        try {
            PageContent.write(TestStores.page(volume, 2 * lpn + 1), 1, 2 * lpn + 1, version);
        } catch (InternalError e) {
            assertTrue(volume.badPageCount() > 0);
        }
    }

    private static void check(Volume volume, int from, int to, int version) {
        for (int lpn = from; lpn < to; lpn++) {
            PageContent.check(TestStores.page(volume, 2 * lpn + 1), 1, 2 * lpn + 1, version);
        }
    }

    private static Volume makeVolume(Store store, String name) {
        return store.createVolume(name, VolumeOptions.ofSizeBytes(2L * PAGES * 4096));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 10, 300})
    void shouldGoOnReadingWhenFullAndWriteAgainWhenThereIsRoom(int perCommit) {
        final int committed;
        try (Store store = Store.create(directory.resolve("s"), options())) {
            final Volume keep = makeVolume(store, "keep");
            for (int lpn = 0; lpn < 50; lpn++) {
                writeQuietly(keep, lpn, 7);
            }
            store.commit();
            final Volume volume = makeVolume(store, "v");
            committed = fill(store, volume, 0, perCommit);
            assertTrue(committed >= 300 || perCommit == 300, () -> "only " + committed + " pages went in");
            assertThrows(StoreFullException.class, store::commit);
            store.rollback();
            check(volume, 0, committed, 1);
            check(volume, committed, committed + 2 * perCommit, 0);
            check(keep, 0, 50, 7);
            store.commit();
        }
        try (Store store = Store.open(directory.resolve("s"), options())) {
            final Volume volume = store.volume("v");
            check(volume, 0, committed, 1);
            check(volume, committed, committed + 2 * perCommit, 0);
            store.deleteVolume("v");
            store.checkpoint();
            final Volume fresh = makeVolume(store, "v");
            check(fresh, 0, 100, 0);
            final int again = fill(store, fresh, 0, perCommit);
            assertTrue(
                    again >= committed / 2 && again > 0,
                    () -> "%d pages went in at first, %d after the space was given back".formatted(committed, again));
            store.rollback();
            check(fresh, 0, again, 1);
            check(store.volume("keep"), 0, 50, 7);
        }
    }

    @Test
    void shouldMakeSpaceByShrinking() {
        try (Store store = Store.create(directory.resolve("s"), options())) {
            final Volume volume = makeVolume(store, "v");
            final int committed = fill(store, volume, 0, 20);
            store.rollback();
            volume.resize(4096);
            store.checkpoint();
            volume.resize(2L * PAGES * 4096);
            check(volume, 0, committed, 0);
            assertTrue(fill(store, volume, 0, 20) >= committed / 2);
        }
    }

    @Test
    void shouldGrowNoFurtherThanItsLimit() {
        try (Store store = Store.create(directory.resolve("s"), options())) {
            fill(store, makeVolume(store, "v"), 0, 5);
            assertTrue(store.statistics().log().fileBytes() <= MAX_BYTES);
            store.rollback();
            // Opening with a higher limit is how a store that is full goes on.
        }
        try (Store store = Store.open(directory.resolve("s"), options().withMaxSizeBytes(4 * MAX_BYTES))) {
            final Volume volume = store.volume("v");
            for (int lpn = 4000; lpn < 4500; lpn++) {
                writeQuietly(volume, lpn, 2);
            }
            store.commit();
            check(volume, 4000, 4500, 2);
        }
    }

    @Test
    void shouldSayThatItIsFullWhenTheDiskIs() throws Exception {
        final List<String> limited = List.of("prlimit", "--fsize=" + (6 << 20));
        try (ChildJvm child = ChildJvm.start(
                directory, limited, List.of("-Xmx64m"), DiskFullChild.class, directory.resolve("s"))) {
            assertTrue(child.awaitSuccess(60).contains("full and readable"), child.output());
        }
        try (Store store = Store.open(directory.resolve("s"), TestStores.small())) {
            final Volume volume = store.volume("v");
            final int committed = (int) PageContent.version(TestStores.page(volume, 0), 1, 0);
            assertTrue(committed > 100, () -> "committed " + committed);
            check(volume, 0, committed, 1);
            writeQuietly(volume, committed, 1);
            store.commit();
        }
    }

    /** Fills a store whose file the system lets grow no further. Page 0 says how much was committed. */
    static final class DiskFullChild {
        private DiskFullChild() {}

        public static void main(String[] arguments) {
            try (Store store = Store.create(Path.of(arguments[0]), TestStores.small())) {
                final Volume volume = makeVolume(store, "v");
                int committed = 0;
                try {
                    while (committed < PAGES) {
                        try (Scope _ = volume.writeScope()) {
                            for (int i = 0; i < 10; i++) {
                                writeQuietly(volume, committed + i, 1);
                            }
                            PageContent.write(TestStores.page(volume, 0), 1, 0, committed + 10);
                        } catch (InternalError e) {
                            // page 0 found no room; the commit says so
                        }
                        store.commit();
                        committed += 10;
                    }
                    throw new AssertionError("the disk was never full");
                } catch (StoreFullException e) {
                    System.out.println(e.getMessage());
                }
                store.rollback();
                check(volume, 0, committed, 1);
                assertEquals(committed, PageContent.version(TestStores.page(volume, 0), 1, 0));
                System.out.println("full and readable");
            }
        }
    }
}
