package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Writes of more than may be dirty in memory: they go to the log without coming into memory first. */
@Timeout(120)
class LargeWriteTest {

    private static final int PAGES = 8 * TestStores.MIB / TestStores.PAGE; // twice the cache

    private final Arena arena = Arena.ofConfined();

    @TempDir
    Path directory;

    private Store store;
    private Volume volume;

    @BeforeEach
    void create() {
        store = Store.create(directory.resolve("s"), TestStores.small());
        volume = store.createVolume("v", VolumeOptions.ofSizeBytes((long) (PAGES + 2) * TestStores.PAGE));
    }

    @AfterEach
    void close() {
        store.close();
        arena.close();
    }

    private MemorySegment content(long firstLpn, long version) {
        MemorySegment content = arena.allocate((long) PAGES * TestStores.PAGE);
        for (int i = 0; i < PAGES; i++) {
            PageContent.write(TestStores.page(content, i, TestStores.PAGE), 1, firstLpn + i, version);
        }
        return content;
    }

    @Test
    void shouldBeSeenAtOnceAndCommitted() {
        volume.write(0, content(0, 1));
        assertTrue(store.statistics().cache().stolenPages() >= PAGES / 2, "it went through memory");
        TestStores.checkPages(volume, 1, 0, PAGES, 1);
        TestStores.checkPages(volume, 1, PAGES, PAGES + 2, 0);
        volume.commit();
        reopen();
        TestStores.checkPages(volume, 1, 0, PAGES, 1);
    }

    @Test
    void shouldBeRolledBack() {
        volume.write(0, content(0, 1));
        volume.commit();
        volume.write(0, content(0, 2));
        TestStores.checkPages(volume, 1, 0, PAGES, 2);
        volume.rollback();
        TestStores.checkPages(volume, 1, 0, PAGES, 1);
        volume.commit();
        reopen();
        TestStores.checkPages(volume, 1, 0, PAGES, 1);
    }

    @Test
    void shouldBeLostWithoutACommit() {
        volume.write(0, content(0, 1));
        volume.commit();
        volume.write(0, content(0, 2));
        reopen();
        TestStores.checkPages(volume, 1, 0, PAGES, 1);
    }

    @Test
    void shouldWriteOverPagesInEveryState() {
        for (long version = 1; version <= 4; version++) {
            // Some are dirty, some clean and in memory, some stolen, the others not in memory.
            for (long lpn = version; lpn < PAGES; lpn += 5) {
                PageContent.write(TestStores.page(volume, lpn), 1, lpn, 100 + version);
            }
            for (long lpn = version; lpn < PAGES; lpn += 7) {
                PageContent.version(TestStores.page(volume, lpn), 1, lpn);
            }
            volume.write(0, content(0, version));
            TestStores.checkPages(volume, 1, 0, PAGES, version);
            volume.write(0, content(0, 10 + version));
            TestStores.checkPages(volume, 1, 0, PAGES, 10 + version);
            if (version % 2 == 0) {
                volume.commit();
            }
        }
        reopen();
        TestStores.checkPages(volume, 1, 0, PAGES, 14);
    }

    @Test
    void shouldBeginAndEndWithinPages() {
        TestStores.writePages(volume, 1, 0, 1, 7);
        MemorySegment content = content(0, 3);
        long cut = 1000;
        volume.write(cut, content.asSlice(cut, content.byteSize() - 2 * cut));
        TestStores.checkPages(volume, 1, 1, PAGES - 1, 3);
        MemorySegment first = TestStores.page(volume, 0);
        MemorySegment last = TestStores.page(volume, PAGES - 1);
        assertEquals(-1, first.asSlice(cut).mismatch(content.asSlice(cut, TestStores.PAGE - cut)));
        assertEquals(PageContent.identity(1, 0, 7), first.get(ValueLayout.JAVA_LONG, 0));
        assertEquals(
                -1,
                last.asSlice(0, TestStores.PAGE - cut)
                        .mismatch(content.asSlice(content.byteSize() - TestStores.PAGE, TestStores.PAGE - cut)));
    }

    @Test
    void shouldWorkWithinAScopeBesideCommits() throws InterruptedException {
        AtomicBoolean stop = new AtomicBoolean();
        Thread committer = new Thread(() -> {
            while (!stop.get()) {
                volume.commit();
            }
        });
        committer.start();
        try {
            for (long version = 1; version <= 5; version++) {
                try (Scope _ = volume.writeScope()) {
                    volume.write(0, content(0, version));
                }
                TestStores.checkPages(volume, 1, 0, PAGES, version);
            }
        } finally {
            stop.set(true);
            committer.join();
        }
        volume.commit();
        reopen();
        TestStores.checkPages(volume, 1, 0, PAGES, 5);
    }

    @Test
    void shouldTakeMemoryOfTheHeap() {
        MemorySegment content = content(0, 1);
        volume.write(0, MemorySegment.ofArray(content.toArray(ValueLayout.JAVA_BYTE)));
        TestStores.checkPages(volume, 1, 0, PAGES, 1);
    }

    private void reopen() {
        store.close();
        store = Store.open(directory.resolve("s"), TestStores.small());
        volume = store.volume("v");
    }
}
