package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.ffi.Errno;
import org.kvmdb.ffi.FaultPlan;
import org.kvmdb.ffi.FaultPlan.Effect;
import org.kvmdb.ffi.FaultPlan.Operation;
import org.kvmdb.ffi.FaultPlan.Rule;

/** Faults of the shim that the store once did not bear, one test each. */
@Timeout(60)
class ShimFaultTest {

    private static final int PAGES = 700;

    @TempDir
    Path directory;

    private Store store;
    private Volume volume;

    @BeforeEach
    void create() {
        store = Store.create(directory.resolve("s"), TestStores.small());
        volume = store.createVolume("v", VolumeOptions.ofSizeBytes(PAGES * 4096L));
        TestStores.writePages(volume, 1, 0, PAGES, 1);
        store.commit();
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void shouldTellAFullFileSystemFromAFullStore() {
        final Path other = directory.resolve("other");
        try (FaultPlan plan = FaultPlan.arm(Rule.failing(Errno.ENOSPC, Operation.ALLOCATE))) {
            final String told = assertThrows(StoreFullException.class, () -> Store.create(other, TestStores.small()))
                    .getMessage();
            assertTrue(told.contains("file system has no room"), told);
            assertTrue(plan.hits(0) > 0);
        }
    }

    @Test
    void shouldTellAnErrorFromAFullFileSystem() {
        final Path other = directory.resolve("other");
        final String error = "input/output error (EIO); see the log of the kernel";
        try (FaultPlan _ = FaultPlan.arm(Rule.failing(Errno.EIO, Operation.ALLOCATE))) {
            final String told = assertThrows(StoreFullException.class, () -> Store.create(other, TestStores.small()))
                    .getMessage();
            assertTrue(told.contains("its file cannot grow: " + error), told);
            final Volume large = store.createVolume("large", VolumeOptions.ofSizeBytes(16 << 20));
            assertThrows(InternalError.class, () -> TestStores.writePages(large, 1, 0, 4096, 1));
            final String page = assertThrows(StoreFullException.class, store::commit).getMessage();
            assertTrue(page.contains("could not become dirty: no space is to be had: " + error), page);
        }
        store.rollback();
    }

    /** Of each directory that was made for it, too: else a power failure takes the store away with what was acknowledged. */
    @Test
    void shouldMakeTheNamesOnTheWayToItDurable() throws IOException {
        final long flushes = directoryFlushes(Files.createDirectory(directory.resolve("there")));
        final Path way = directory.resolve("a");
        assertEquals(flushes + 3, directoryFlushes(way.resolve("b/c")));
        try (Stream<Path> made = Files.walk(way)) {
            made.sorted(Comparator.reverseOrder()).forEach(path -> assertTrue(path.toFile().delete()));
        }
        for (long i = 0; i < flushes + 3; i++) {
            try (FaultPlan plan = FaultPlan.arm(Rule.failing(Errno.EIO, Operation.FLUSH_DIRECTORY).onceAt(i))) {
                assertThrows(StoreException.class, () -> Store.create(way.resolve("b/c"), TestStores.small()));
                assertEquals(1, plan.hits(0));
            }
            assertFalse(Files.exists(way), "left behind when flush " + i + " of a directory failed");
        }
    }

    private static long directoryFlushes(Path home) {
        try (FaultPlan plan = FaultPlan.arm(Rule.counting(Operation.FLUSH_DIRECTORY))) {
            Store.create(home, TestStores.small()).close();
            return plan.seen(0);
        }
    }

    /** Pages that were frozen before the one that cannot be: they stayed frozen, and no rollback found them. */
    @Test
    void shouldForgetWhatWasWrittenWhenAFreezeFailsHalfWay() {
        TestStores.checkPages(volume, 1, 0, 200, 1);
        for (int lpn = 0; lpn < 200; lpn += 2) { // each a range of its own
            TestStores.writePages(volume, 1, lpn, lpn + 1, 2);
        }
        for (int index = 0; index < 100; index += 33) {
            try (FaultPlan plan = FaultPlan.arm(Rule.failing(Errno.ENOMEM, Operation.PROTECT).onceAt(index))) {
                assertThrows(StoreIoException.class, store::commit);
                assertEquals(1, plan.hits(0));
            }
        }
        store.rollback();
        TestStores.checkPages(volume, 1, 0, PAGES, 1);
        assertEquals(0, store.statistics().cache().dirtyBytes());
        TestStores.writePages(volume, 1, 0, 10, 3);
        store.commit();
        TestStores.checkPages(volume, 1, 0, 10, 3);
    }

    /** A rollback that takes long must not take a page away that was pinned after it had looked for pins. */
    @Test
    void shouldKeepAPinnedPageAsItIsWhileAnotherThreadRollsBack() throws Exception {
        final long last = 255 * 4096L;
        try (Store large = Store.create(directory.resolve("large"), TestStores.small().withCacheSizeBytes(64 << 20));
                FaultPlan _ = FaultPlan.arm(Rule.of(Effect.DELAY, 100, Operation.DROP).times(10))) {
            final Volume written = large.createVolume("v", VolumeOptions.ofSizeBytes(PAGES * 4096L));
            for (long offset = 0; offset <= last; offset += 4096) {
                written.memory().set(ValueLayout.JAVA_LONG, offset, 2);
            }
            final Thread other = Thread.ofPlatform().start(written::rollback);
            while (other.isAlive() && written.memory().get(ValueLayout.JAVA_LONG, 0) == 2) {
                Thread.onSpinWait();
            }
            try (Pin _ = written.pin(last, 4096, PinMode.READ)) {
                final long pinned = written.memory().get(ValueLayout.JAVA_LONG, last);
                other.join();
                assertEquals(pinned, written.memory().get(ValueLayout.JAVA_LONG, last));
            }
        }
    }

    /** What the spill area gave back was taken for what had been written there. */
    @Test
    void shouldNoticeWhenTheSpillAreaChangesAPage() {
        final Path data = TestStores.dataFile(store.path());
        try (FaultPlan plan = FaultPlan.arm(
                Rule.of(Effect.FLIP, 4321, Operation.READ_CACHED, Operation.READ).onUnnamedFiles(),
                Rule.of(Effect.HANG, 0, Operation.WRITE).on(data), // nothing is stolen, so pages must be spilled
                Rule.counting(Operation.WRITE).onUnnamedFiles())) {
            TestStores.writePages(volume, 1, 0, PAGES, 2);
            assertTrue(plan.seen(2) > 0);
            assertThrows(CorruptPageException.class, () -> volume.load(0, PAGES * 4096L));
            assertTrue(plan.hits(0) > 0);
        }
        assertThrows(CorruptPageException.class, store::commit);
        store.rollback();
        TestStores.checkPages(volume, 1, 0, PAGES, 1);
    }

    @Test
    void shouldSayWhatLacksWhenThereIsNoUserfaultfd() {
        final Path path = directory.resolve("t");
        for (int errno : new int[] {Errno.EPERM, Errno.ENOSYS}) {
            try (FaultPlan _ = FaultPlan.arm(
                    Rule.failing(errno, Operation.USERFAULTFD), Rule.failing(Errno.EACCES, Operation.OPEN))) {
                final String message = assertThrows(
                                UnsupportedPlatformException.class, () -> Store.create(path, TestStores.small()))
                        .getMessage();
                assertTrue(message.contains("userfaultfd"), message);
            }
        }
        Store.create(path, TestStores.small()).close();
    }

    /** As where io_uring is forbidden: reads have no deadline, and that is all. */
    @Test
    void shouldDoWithoutRings() {
        store.close();
        try (FaultPlan plan = FaultPlan.arm(Rule.failing(Errno.EPERM, Operation.RING))) {
            store = Store.open(directory.resolve("s"), TestStores.small());
            volume = store.volume("v");
            TestStores.checkPages(volume, 1, 0, PAGES, 1);
            TestStores.writePages(volume, 1, 0, PAGES, 2);
            store.commit();
            assertTrue(plan.hits(0) > 0);
        }
        TestStores.checkPages(volume, 1, 0, PAGES, 2);
    }

    /** One read hangs: its page is bad after the deadline, and other pages are served meanwhile. */
    @Test
    void shouldServeOtherPagesWhileAReadHangs() throws InterruptedException {
        store.close();
        final Path path = directory.resolve("s");
        store = OpenStore.open(path, TestStores.small(), 5000);
        volume = store.volume("v");
        final Path data = TestStores.dataFile(path);
        final Thread stuck;
        try (FaultPlan plan = FaultPlan.arm(
                Rule.of(Effect.HANG, 0, Operation.READ_SUBMIT).on(data).onceAt(0),
                Rule.failing(Errno.EAGAIN, Operation.READ_CACHED).on(data).onceAt(0))) {
            stuck = Thread.ofPlatform().start(() -> assertThrows(CorruptPageException.class, () -> volume.load(0, 1)));
            while (plan.hits(0) == 0) {
                Thread.onSpinWait();
            }
            TestStores.checkPages(volume, 1, 100, PAGES, 1);
            stuck.join();
        }
        assertEquals(1, volume.badPageCount());
        TestStores.checkPages(volume, 1, 0, PAGES, 1);
    }
}
