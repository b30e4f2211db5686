package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Taking snapshots, finding them, and that nothing changes them. */
@Timeout(120)
class SnapshotTest extends SmallStoreTest {

    private static final int PAGES = 100;

    private static void commitPages(Volume volume, int version) {
        TestStores.writePages(volume, 1, 0, PAGES, version);
        volume.commit();
    }

    // ---- taking ----

    @ParameterizedTest
    @ValueSource(ints = {4096, 16384, 65536})
    void shouldShowWhatTheVolumeHeldWhenItWasTaken(int pageSizeBytes) throws IOException {
        final long size = (PAGES + 20L) * pageSizeBytes;
        try (Store store = create()) {
            final Volume volume =
                    store.createVolume("v", VolumeOptions.ofSizeBytes(size).withPageSizeBytes(pageSizeBytes));
            commitPages(volume, 1);
            final Instant before = Instant.now();
            final Snapshot snapshot = volume.snapshot("one");
            assertEquals("one", snapshot.name());
            assertEquals("v@one", snapshot.fullName());
            assertEquals("v", snapshot.volumeName());
            assertEquals(size, snapshot.sizeBytes());
            assertEquals(pageSizeBytes, snapshot.pageSizeBytes());
            assertTrue(!snapshot.created().isBefore(before.minusMillis(1)) && !snapshot.created().isAfter(Instant.now()));
            assertEquals(volume.referencedBytes(), snapshot.referencedBytes());
            assertTrue(snapshot.referencedBytes() > PAGES / 2 * (long) pageSizeBytes);

            TestStores.writePages(volume, 1, 10, 60, 2);
            volume.commit();
            volume.resize(50L * pageSizeBytes);
            checkOne(snapshot);
            store.checkpoint();
            checkOne(snapshot);
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                checkOne(recovered.snapshotNamed("v@one"));
                TestStores.checkPages(recovered.volume("v"), 1, 10, 50, 2);
            }
        }
        try (Store store = open()) {
            checkOne(store.volume("v").snapshotNamed("one"));
            assertEquals(size, store.snapshotNamed("v@one").sizeBytes());
            TestStores.checkPages(store.volume("v"), 1, 0, 10, 1);
            TestStores.checkPages(store.volume("v"), 1, 10, 50, 2);
        }
    }

    private static void checkOne(Snapshot snapshot) {
        TestStores.checkPages(snapshot, 1, 0, PAGES, 1);
        TestStores.checkPages(snapshot, 1, PAGES, PAGES + 20, 0);
    }

    @Test
    void shouldCommitWhatWasWrittenUnlessAskedNotTo() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 1);
            TestStores.writePages(volume, 1, 0, PAGES, 2);
            final Snapshot committed = volume.snapshotCommitted("committed");
            final Snapshot now = volume.snapshot("now");
            volume.rollback();
            TestStores.checkPages(committed, 1, 0, PAGES, 1);
            TestStores.checkPages(now, 1, 0, PAGES, 2);
            TestStores.checkPages(volume, 1, 0, PAGES, 2);
        }
    }

    @Test
    void shouldTakeASnapshotWithOneFlush() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 1);
            TestStores.writePages(volume, 1, 0, 10, 2);
            final long flushes = store.statistics().log().flushes();
            volume.snapshot("s");
            assertEquals(flushes + 1, store.statistics().log().flushes());
        }
    }

    @Test
    void shouldKeepEachOfManySnapshotsWhateverCameAfterIt() {
        final int count = 40;
        final int[][] versions = new int[count][];
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final Random random = new Random(11);
            final int[] now = new int[PAGES];
            for (int s = 0; s < count; s++) {
                for (int i = 0; i < 7; i++) {
                    final int lpn = random.nextInt(PAGES);
                    now[lpn] = s + 1;
                    PageContent.write(TestStores.page(volume, lpn), 1, lpn, s + 1);
                }
                volume.snapshot("s" + s);
                versions[s] = now.clone();
                if (s % 9 == 0) {
                    store.checkpoint();
                }
            }
            check(store, versions);
            for (int s = 0; s < count; s += 2) {
                store.snapshotNamed("v@s" + s).release();
                store.snapshotNamed("v@s" + s).delete();
                versions[s] = null;
            }
            check(store, versions);
        }
        try (Store store = open()) {
            assertEquals(count / 2, store.snapshots().size());
            check(store, versions);
        }
    }

    private static void check(Store store, int[][] versions) {
        for (int s = 0; s < versions.length; s++) {
            for (int lpn = 0; versions[s] != null && lpn < PAGES; lpn++) {
                TestStores.checkPages(store.snapshotNamed("v@s" + s), 1, lpn, lpn + 1, versions[s][lpn]);
            }
        }
    }

    /** Blocks that were in the log before the snapshot, and of the volume only after it. */
    @Test
    void shouldNotHoldWhatWasStolenBeforeItAndCommittedAfterIt() {
        final int pages = 3000; // three times the cache
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(pages * 4096L));
            TestStores.writePages(volume, 1, 0, pages, 1);
            volume.commit();
            TestStores.writePages(volume, 1, 0, pages, 2);
            assertTrue(store.statistics().cache().stolenPages() > 0);
            final Snapshot snapshot = volume.snapshotCommitted("s");
            volume.commit();
            TestStores.checkPages(snapshot, 1, 0, pages, 1);
            TestStores.checkPages(volume, 1, 0, pages, 2);
            snapshot.release();
            snapshot.delete();
            store.checkpoint();
            store.checkpoint();
            TestStores.writePages(volume, 1, 0, 500, 3); // into the segments that came free
            volume.commit();
        }
        try (Store store = open()) {
            TestStores.checkPages(store.volume("v"), 1, 0, 500, 3);
            TestStores.checkPages(store.volume("v"), 1, 500, pages, 2);
        }
    }

    // ---- together ----

    @Test
    void shouldTakeSnapshotsOfSeveralVolumesOrOfNone() {
        try (Store store = create()) {
            final Volume a = store.createVolume("a", TWO_MIB);
            final Volume b = store.createVolume("b", VolumeOptions.ofSizeBytes(4 << 20).withPageSizeBytes(8192));
            commitPages(a, 1);
            commitPages(b, 1);
            TestStores.writePages(a, 1, 0, 5, 2);
            TestStores.writePages(b, 1, 0, 5, 2);
            final List<Snapshot> taken = store.snapshot("both", List.of(b, a));
            assertEquals(List.of("b@both", "a@both"), taken.stream().map(Snapshot::fullName).toList());
            taken.forEach(snapshot -> TestStores.checkPages(snapshot, 1, 0, 5, 2));
            assertEquals(List.of(), store.snapshot("none", List.of()));

            b.snapshot("taken");
            TestStores.writePages(a, 1, 0, 5, 3);
            assertThrows(SnapshotExistsException.class, () -> store.snapshot("taken", List.of(a, b)));
            assertThrows(SnapshotExistsException.class, () -> store.snapshotCommitted("taken", List.of(a, b)));
            assertEquals(List.of("both"), a.snapshots().stream().map(Snapshot::name).toList());
            a.rollback();
            TestStores.checkPages(a, 1, 0, 5, 2);
        }
    }

    /** Requests that share a group with one of the same name fail alone; what they wrote stays to be committed. */
    @Test
    void shouldLetOneTakeANameThatSeveralWant() throws Exception {
        final int threads = 4;
        final int rounds = 25;
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final AtomicInteger[] winners = new AtomicInteger[rounds];
            Arrays.setAll(winners, round -> new AtomicInteger());
            final CyclicBarrier together = new CyclicBarrier(threads);
            final AtomicReference<Throwable> failure = new AtomicReference<>();
            final List<Thread> takers = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                final int number = t;
                takers.add(new Thread(() -> {
                    try {
                        for (int round = 0; round < rounds; round++) {
                            together.await();
                            PageContent.write(TestStores.page(volume, number), 1, number, round + 1);
                            try {
                                volume.snapshot("s" + round);
                                winners[round].incrementAndGet();
                            } catch (SnapshotExistsException e) {
                                // another one's
                            }
                        }
                    } catch (Throwable e) {
                        failure.set(e);
                    }
                }));
                takers.getLast().start();
            }
            for (Thread taker : takers) {
                taker.join();
            }
            assertEquals(null, failure.get());
            for (AtomicInteger winner : winners) {
                assertEquals(1, winner.get());
            }
            assertEquals(rounds, store.snapshots().size());
            volume.commit();
            volume.rollback();
            for (int t = 0; t < threads; t++) {
                TestStores.checkPages(volume, 1, t, t + 1, rounds);
            }
        }
    }

    /** Writers count up in two volumes within scopes: what is taken together agrees, and goes on agreeing. */
    @Test
    void shouldTakeOneMomentOfSeveralVolumesWhileTheyAreWritten() throws Exception {
        try (Store store = create()) {
            final List<Volume> volumes = List.of(store.createVolume("a", TWO_MIB), store.createVolume("b", TWO_MIB));
            final AtomicBoolean over = new AtomicBoolean();
            final AtomicReference<Throwable> failure = new AtomicReference<>();
            final List<Thread> writers = List.of(writer(volumes, 0, over, failure), writer(volumes, 1, over, failure));
            for (int s = 0; s < 30; s++) {
                store.snapshot("s" + s, volumes);
                Thread.sleep(2);
            }
            over.set(true);
            for (Thread writer : writers) {
                writer.join();
            }
            assertEquals(null, failure.get());
            final long[] last = new long[2];
            for (int s = 0; s < 30; s++) {
                for (int w = 0; w < 2; w++) {
                    final long version = versionOf(store.snapshotNamed("a@s" + s), w);
                    assertEquals(version, versionOf(store.snapshotNamed("b@s" + s), w));
                    assertTrue(version >= last[w]);
                    last[w] = version;
                }
            }
            assertTrue(last[0] > 0 && last[1] > 0);
        }
    }

    private static Thread writer(
            List<Volume> volumes, int number, AtomicBoolean over, AtomicReference<Throwable> failure) {
        final Thread thread = new Thread(() -> {
            try {
                for (long k = 1; !over.get(); k++) {
                    try (Scope _ = volumes.get(0).writeScope();
                            Scope _ = volumes.get(1).writeScope()) {
                        for (Volume volume : volumes) {
                            PageContent.write(TestStores.page(volume, number), 1, number, k);
                        }
                    }
                    if (k % 5 == number) {
                        volumes.get(number).commit();
                    }
                }
            } catch (Throwable e) {
                failure.set(e);
            }
        });
        thread.start();
        return thread;
    }

    private static long versionOf(Snapshot snapshot, long lpn) {
        final MemorySegment page = TestStores.page(snapshot.memory(), lpn, snapshot.pageSizeBytes());
        final long version = PageContent.version(page, 1, lpn);
        PageContent.check(page, 1, lpn, version);
        return version;
    }

    // ---- finding ----

    @Test
    void shouldListThemInTheOrderInWhichTheyWereTaken() {
        try (Store store = create()) {
            final Volume a = store.createVolume("a", TWO_MIB);
            final Volume b = store.createVolume("b", TWO_MIB);
            b.snapshot("z");
            a.snapshot("m");
            b.snapshotCommitted("a");
            assertEquals(List.of("b@z", "a@m", "b@a"), store.snapshots().stream().map(Snapshot::fullName).toList());
            assertEquals(List.of("z", "a"), b.snapshots().stream().map(Snapshot::name).toList());
            assertSame(b.snapshotNamed("z"), store.snapshotNamed("b@z"));
            assertSame(b.snapshotNamed("z"), store.snapshots().getFirst());
        }
        try (Store store = open()) {
            assertEquals(List.of("b@z", "a@m", "b@a"), store.snapshots().stream().map(Snapshot::fullName).toList());
        }
    }

    @Test
    void shouldSayWhichSnapshotIsMissingOrThere() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            volume.snapshot("s");
            assertTrue(assertThrows(SnapshotExistsException.class, () -> volume.snapshot("s"))
                    .getMessage()
                    .contains("v@s"));
            assertThrows(SnapshotExistsException.class, () -> volume.snapshotCommitted("s"));
            assertTrue(assertThrows(NoSuchSnapshotException.class, () -> volume.snapshotNamed("t"))
                    .getMessage()
                    .contains("t"));
            assertThrows(NoSuchSnapshotException.class, () -> store.snapshotNamed("v@t"));
            assertThrows(StoreException.class, () -> store.snapshotNamed("w@s"));
            assertThrows(IllegalUseException.class, () -> store.snapshotNamed("s"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "-x", "a@b", "a/b", "a b", "a\n"})
    void shouldRefuseNamesThatConfuse(String name) {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            TestStores.writePages(volume, 1, 0, 3, 1);
            assertThrows(IllegalUseException.class, () -> volume.snapshot(name));
            assertThrows(IllegalUseException.class, () -> volume.snapshotCommitted(name));
            assertEquals(List.of(), store.snapshots());
            volume.rollback();
            TestStores.checkPages(volume, 1, 0, 3, 0);
        }
    }

    @Test
    void shouldThrowWhenUsedAfterClose() {
        final Store store = create();
        final Volume volume = store.createVolume("v", TWO_MIB);
        final Snapshot snapshot = volume.snapshot("s");
        final MemorySegment memory = snapshot.memory();
        store.close();
        assertThrows(IllegalStateException.class, () -> memory.get(ValueLayout.JAVA_LONG, 0));
        assertThrows(StoreClosedException.class, snapshot::memory);
        assertThrows(StoreClosedException.class, snapshot::delete);
        assertThrows(StoreClosedException.class, snapshot::release);
        assertThrows(StoreClosedException.class, () -> snapshot.cloneAs("w"));
        assertThrows(StoreClosedException.class, () -> volume.snapshot("t"));
        assertThrows(StoreClosedException.class, () -> volume.snapshotCommitted("t"));
        assertThrows(StoreClosedException.class, () -> volume.rollbackTo(snapshot));
        assertThrows(StoreClosedException.class, () -> volume.quota(1));
        assertThrows(StoreClosedException.class, store::snapshots);
        assertThrows(StoreClosedException.class, () -> store.snapshotNamed("v@s"));
    }
}
