package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clones of snapshots, and volumes that go back to one. */
@Timeout(120)
class CloneTest extends SmallStoreTest {

    private static final int PAGES = 100;

    private static void commitPages(Volume volume, int from, int to, int version) {
        TestStores.writePages(volume, 1, from, to, version);
        volume.commit();
    }

    // ---- clones ----

    @Test
    void shouldWriteAVolumeAndItsClonesApart() throws IOException {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 0, PAGES, 1);
            final Snapshot first = volume.snapshot("first");
            commitPages(volume, 0, 10, 2);
            final Volume clone = first.cloneAs("clone");
            TestStores.checkPages(clone, 1, 0, PAGES, 1);
            commitPages(clone, 5, 20, 3);
            final Volume second = clone.snapshot("second").cloneAs("clone2");
            commitPages(second, 18, 30, 4);
            clone.resize(4096);
            checkAll(store);
            store.checkpoint();
            checkAll(store);
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                checkAll(recovered);
            }
        }
        try (Store store = open()) {
            checkAll(store);
        }
    }

    private static void checkAll(Store store) {
        assertEquals(List.of("clone", "clone2", "v"), store.volumes().stream().map(Volume::name).toList());
        TestStores.checkPages(store.volume("v"), 1, 0, 10, 2);
        TestStores.checkPages(store.volume("v"), 1, 10, PAGES, 1);
        TestStores.checkPages(store.snapshotNamed("v@first"), 1, 0, PAGES, 1);
        assertEquals(4096, store.volume("clone").sizeBytes());
        TestStores.checkPages(store.volume("clone"), 1, 0, 1, 1);
        for (long lpn = 0; lpn < PAGES; lpn++) {
            final int cloned = lpn >= 5 && lpn < 20 ? 3 : 1;
            TestStores.checkPages(store.snapshotNamed("clone@second"), 1, lpn, lpn + 1, cloned);
            TestStores.checkPages(store.volume("clone2"), 1, lpn, lpn + 1, lpn >= 18 && lpn < 30 ? 4 : cloned);
        }
    }

    @Test
    void shouldCarrySizePageSizeAndLsn() {
        try (Store store = create()) {
            final Volume volume =
                    store.createVolume("v", VolumeOptions.ofSizeBytes(1 << 20).withPageSizeBytes(16384));
            volume.writeAheadLog(new FixedLsn(77));
            TestStores.writePages(volume, 1, 0, 3, 1);
            final Snapshot snapshot = volume.snapshot("s");
            volume.writeAheadLog(new FixedLsn(99));
            volume.commit();
            assertEquals(77, snapshot.committedLsn());
            assertEquals(99, volume.committedLsn());
            volume.resize(2 << 20);
            final Volume clone = snapshot.cloneAs("clone");
            assertEquals(1 << 20, clone.sizeBytes());
            assertEquals(16384, clone.pageSizeBytes());
            assertEquals(77, clone.committedLsn());
            assertEquals(snapshot.referencedBytes(), clone.referencedBytes());
            assertEquals(0, clone.quotaBytes());
            assertEquals(List.of(), clone.snapshots());
        }
    }

    private record FixedLsn(long currentLsn) implements WriteAheadLog {
        @Override
        public void flushTo(long lsn) {}
    }

    @Test
    void shouldSayWhatKeepsASnapshotFromBeingDeleted() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 0, PAGES, 1);
            final Snapshot snapshot = volume.snapshot("s");
            final Volume clone = snapshot.cloneAs("clone");
            final StoreException e = assertThrows(StoreBusyException.class, snapshot::delete);
            assertTrue(e.getMessage().contains("v@s") && e.getMessage().contains("clone"), e.getMessage());
            assertThrows(StoreBusyException.class, () -> store.deleteVolume("v"));
            commitPages(clone, 0, 1, 2);
            store.deleteVolume("clone");
            snapshot.delete();
            store.deleteVolume("v");
            assertEquals(List.of(), store.volumes());
        }
    }

    @Test
    void shouldRefuseNamesOfClones() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final Snapshot snapshot = volume.snapshot("s");
            assertThrows(VolumeExistsException.class, () -> snapshot.cloneAs("v"));
            assertThrows(IllegalUseException.class, () -> snapshot.cloneAs(".v"));
            assertThrows(IllegalUseException.class, () -> snapshot.cloneAs("a@b"));
            assertEquals(1, store.volumes().size());
        }
    }

    // ---- going back ----

    @Test
    void shouldGoBackAndForthBetweenSnapshotsInPlace() throws IOException {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final MemorySegment memory = volume.memory();
            commitPages(volume, 0, 50, 1);
            final Snapshot one = volume.snapshot("one");
            volume.resize(1 << 20);
            commitPages(volume, 20, PAGES, 2);
            final Snapshot two = volume.snapshot("two");
            TestStores.writePages(volume, 1, 0, PAGES, 9); // not committed

            volume.rollbackTo(one);
            assertEquals(2 << 20, volume.sizeBytes());
            assertEquals(2 << 20, volume.memory().byteSize());
            assertEquals(memory.address(), volume.memory().address());
            TestStores.checkPages(volume, 1, 0, 50, 1);
            TestStores.checkPages(volume, 1, 50, 512, 0);
            commitPages(volume, 10, 15, 3);
            final Snapshot three = volume.snapshot("three");

            volume.rollbackTo(two);
            assertEquals(1 << 20, volume.sizeBytes());
            TestStores.checkPages(volume, 1, 0, 20, 1);
            TestStores.checkPages(volume, 1, 20, PAGES, 2);
            commitPages(volume, 0, 5, 4);

            volume.rollbackTo(three);
            checkThree(store);
            assertEquals(List.of("one", "two", "three"), volume.snapshots().stream().map(Snapshot::name).toList());
            TestStores.checkPages(one, 1, 0, 50, 1);
            TestStores.checkPages(two, 1, 20, PAGES, 2);
            two.release();
            two.delete();
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                checkThree(recovered);
            }
        }
        try (Store store = open()) {
            checkThree(store);
            store.volume("v").rollbackTo(store.snapshotNamed("v@one"));
            TestStores.checkPages(store.volume("v"), 1, 0, 50, 1);
        }
    }

    private static void checkThree(Store store) {
        final Volume volume = store.volume("v");
        assertEquals(2 << 20, volume.sizeBytes());
        TestStores.checkPages(volume, 1, 0, 10, 1);
        TestStores.checkPages(volume, 1, 10, 15, 3);
        TestStores.checkPages(volume, 1, 15, 50, 1);
        TestStores.checkPages(volume, 1, 50, PAGES, 0);
    }

    @Test
    void shouldGoBackOfAVolumeThatIsNotMapped() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(128L << 30));
            commitPages(volume, 0, PAGES, 1);
            volume.snapshot("s");
            commitPages(volume, 0, PAGES, 2);
            volume.resize(1 << 20);
        }
        try (Store store = open()) {
            final Volume volume = store.volume("v");
            // Mapped at its size of now it would have no address space for what it was.
            volume.rollbackTo(store.snapshotNamed("v@s"));
            assertEquals(128L << 30, volume.sizeBytes());
            TestStores.checkPages(volume, 1, 0, PAGES, 1);
            TestStores.checkPages(volume, 1, (128L << 18) - 1, 128L << 18, 0);
        }
    }

    @Test
    void shouldSayWhenASnapshotIsLargerThanWhatIsReserved() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(128L << 30));
            commitPages(volume, 0, PAGES, 1);
            volume.snapshot("s");
            volume.resize(1 << 20);
        }
        try (Store store = open()) {
            final Volume volume = store.volume("v");
            TestStores.writePages(volume, 1, 0, 1, 2);
            final StoreException e =
                    assertThrows(StoreBusyException.class, () -> volume.rollbackTo(volume.snapshotNamed("s")));
            assertTrue(e.getMessage().contains("while it is mapped"), e.getMessage());
            TestStores.checkPages(volume, 1, 0, 1, 2);
            volume.commit();
            assertEquals(1 << 20, volume.sizeBytes());
        }
    }

    /** A transaction larger than the cache, so that pages of it were stolen to the log and spilled. */
    @Test
    void shouldDropALargeTransaction() {
        try (Store store = create()) {
            final int pages = 3000;
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(pages * 4096L));
            TestStores.writePages(volume, 1, 0, pages, 1);
            final Snapshot snapshot = volume.snapshot("s");
            commitPages(volume, 0, 100, 2);
            TestStores.writePages(volume, 1, 0, pages, 3);
            assertTrue(store.statistics().cache().stolenPages() > 0);
            volume.rollbackTo(snapshot);
            TestStores.checkPages(volume, 1, 0, pages, 1);
            assertEquals(0, store.statistics().cache().dirtyBytes());
            commitPages(volume, 0, pages, 4);
            TestStores.checkPages(volume, 1, 0, pages, 4);
            TestStores.checkPages(snapshot, 1, 0, pages, 1);
        }
    }

    @Test
    void shouldRefuseToGoBackUnderPinsAndScopes() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 0, PAGES, 1);
            final Snapshot snapshot = volume.snapshot("s");
            commitPages(volume, 0, PAGES, 2);
            TestStores.writePages(volume, 1, 0, 1, 3);
            try (Pin _ = volume.pin(0, 4096, PinMode.READ)) {
                final StoreException e = assertThrows(StoreBusyException.class, () -> volume.rollbackTo(snapshot));
                assertTrue(e.getMessage().contains("pinned"), e.getMessage());
            }
            try (Scope _ = volume.writeScope()) {
                assertThrows(StoreBusyException.class, () -> volume.rollbackTo(snapshot));
            }
            TestStores.checkPages(volume, 1, 0, 1, 3);
            TestStores.checkPages(volume, 1, 1, PAGES, 2);
            volume.rollbackTo(snapshot);
            TestStores.checkPages(volume, 1, 0, PAGES, 1);
        }
    }

    @Test
    void shouldRefuseSnapshotsOfOtherVolumesAndStores() {
        try (Store store = create();
                Store other = Store.create(directory.resolve("other"), TestStores.small())) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final Snapshot ofClone = volume.snapshot("s").cloneAs("clone").snapshot("t");
            assertThrows(IllegalUseException.class, () -> volume.rollbackTo(ofClone));
            final Snapshot foreign = other.createVolume("v", TWO_MIB).snapshot("s");
            assertThrows(IllegalUseException.class, () -> volume.rollbackTo(foreign));
            assertThrows(IllegalUseException.class, () -> other.snapshot("u", List.of(volume)));
            final Snapshot deleted = volume.snapshot("u");
            deleted.delete();
            assertThrows(NoSuchSnapshotException.class, () -> volume.rollbackTo(deleted));
        }
    }

    /** What is read meanwhile is of one of the two, page by page; afterwards of one alone. */
    @Test
    void shouldGoBackUnderReadersAndWritersInScopes() throws Exception {
        try (Store store = create()) {
            final int pages = 600;
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(pages * 4096L));
            final Snapshot[] snapshots = new Snapshot[2];
            for (int i = 0; i < 2; i++) {
                commitPages(volume, 0, pages - 1, 10 + i);
                snapshots[i] = volume.snapshot("s" + i);
            }
            final AtomicBoolean over = new AtomicBoolean();
            final AtomicReference<Throwable> failure = new AtomicReference<>();
            final Thread reader = run(failure, () -> {
                for (long i = 0; !over.get(); i++) {
                    final long lpn = i * 7 % (pages - 1);
                    final long version = PageContent.version(TestStores.page(volume, lpn), 1, lpn);
                    assertTrue(version == 10 || version == 11, "version " + version);
                }
            });
            final Thread writer = run(failure, () -> {
                for (long k = 20; !over.get(); k++) {
                    try (Scope _ = volume.writeScope()) {
                        TestStores.writePages(volume, 1, pages - 1, pages, k);
                        TestStores.checkPages(volume, 1, pages - 1, pages, k);
                    }
                    if (k % 3 == 0) {
                        volume.commit();
                    }
                }
            });
            for (int i = 0; i < 60 && failure.get() == null; i++) {
                volume.rollbackTo(snapshots[i % 2]);
                TestStores.checkPages(volume, 1, 0, pages - 1, 10 + i % 2);
            }
            over.set(true);
            reader.join();
            writer.join();
            assertEquals(null, failure.get());
            assertEquals(0, volume.badPageCount());
        }
    }

    private static Thread run(AtomicReference<Throwable> failure, Runnable action) {
        final Thread thread = new Thread(() -> {
            try {
                action.run();
            } catch (Throwable e) {
                failure.set(e);
            }
        });
        thread.start();
        return thread;
    }

    @Test
    void shouldForgetBadPagesThatItLeavesBehind() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 0, PAGES, 1);
            final Snapshot snapshot = volume.snapshot("s");
            volume.resize(4 << 20);
            final MemorySegment longer = volume.memory();
            volume.rollbackTo(snapshot);
            assertThrows(InternalError.class, () -> {
                longer.get(ValueLayout.JAVA_LONG, 3 << 20);
                Thread.sleep(1);
            });
            assertThrows(CorruptPageException.class, volume::commit);
            volume.rollbackTo(snapshot);
            volume.commit();
            TestStores.checkPages(volume, 1, 0, PAGES, 1);
        }
    }
}
