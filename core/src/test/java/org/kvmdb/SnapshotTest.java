package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Taking snapshots, reading them, and that nothing changes them. */
@Timeout(120)
class SnapshotTest {

    private static final VolumeOptions TWO_MIB = VolumeOptions.ofSizeBytes(2 << 20);
    private static final int PAGES = 100;

    @TempDir
    Path directory;

    private Store create() {
        return Store.create(directory.resolve("s"), TestStores.small());
    }

    private Store open() {
        return Store.open(directory.resolve("s"), TestStores.small());
    }

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

    // ---- reading ----

    @Test
    void shouldReadInEveryWayThatAVolumeIsRead() throws Exception {
        try (Store store = create();
                Arena arena = Arena.ofConfined()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 1);
            final Snapshot snapshot = volume.snapshot("s");
            commitPages(volume, 2);
            final MemorySegment copy = arena.allocate(3 * 4096);
            snapshot.prefetch(0, 1 << 20);
            snapshot.load(0, 50 * 4096);
            snapshot.read(5 * 4096, copy);
            for (long lpn = 5; lpn < 8; lpn++) {
                PageContent.check(TestStores.page(copy, lpn - 5, 4096), 1, lpn, 1);
            }
            try (Pin _ = snapshot.pin(0, 10 * 4096);
                    Scope _ = snapshot.readScope()) {
                TestStores.checkPages(snapshot, 1, 0, 10, 1);
            }
            assertEquals(0, snapshot.badPageCount());
            assertThrows(IndexOutOfBoundsException.class, () -> snapshot.load(0, (2 << 20) + 1));
        }
    }

    @Test
    void shouldRefuseWritesThroughTheSegment() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 1);
            final MemorySegment memory = volume.snapshot("s").memory();
            assertTrue(memory.isReadOnly());
            assertThrows(IllegalArgumentException.class, () -> memory.set(ValueLayout.JAVA_LONG, 0, 1));
            assertThrows(IllegalArgumentException.class, () -> memory.fill((byte) 1));
        }
    }

    /** A write past the segment, as code with an address of its own might do. */
    @Test
    void shouldRefuseAndTellOfWritesThroughAnAddress() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 1);
            final Snapshot snapshot = volume.snapshot("s");
            final MemorySegment raw = MemorySegment.ofAddress(snapshot.memory().address()).reinterpret(2 << 20);
            TestStores.checkPages(snapshot, 1, 0, 1, 1);
            final long dirty = store.statistics().cache().dirtyBytes();
            for (long lpn : new long[] {0, 50}) { // one that is in memory, one that is not
                final Scope scope = snapshot.readScope();
                assertThrows(InternalError.class, () -> {
                    raw.set(ValueLayout.JAVA_LONG, lpn * 4096 + 8, 1);
                    // The virtual machine may tell late.
                    Thread.sleep(1);
                });
                final StoreException e = assertThrows(StoreIoException.class, scope::close);
                assertTrue(e.getMessage().contains("snapshot v@s is only read"), e.getMessage());
                assertTrue(e.getMessage().contains("lpn=" + lpn), e.getMessage());
            }
            assertEquals(2, snapshot.badPageCount());
            assertEquals(dirty, store.statistics().cache().dirtyBytes());
            TestStores.checkPages(snapshot, 1, 0, PAGES, 1);
            TestStores.checkPages(volume, 1, 0, PAGES, 1);
            store.commit();
        }
    }

    @Test
    void shouldEndTheProcessWhenNativeCodeWrites() throws Exception {
        try (ChildJvm child =
                ChildJvm.start(directory, List.of("-Xmx64m"), NativeWriteChild.class, directory.resolve("s"))) {
            assertTrue(child.exitCode() != 0);
            assertTrue(child.output().contains("fill: InternalError"), child.output());
            assertTrue(child.output().contains("SIGBUS"), child.output());
            assertFalse(child.output().contains("went through"), child.output());
        }
        try (Store store = open()) {
            TestStores.checkPages(store.snapshotNamed("v@s"), 1, 0, PAGES, 1);
            TestStores.checkPages(store.volume("v"), 1, 0, PAGES, 1);
        }
    }

    /** Writes through an address: first with what the virtual machine can turn into an error, then with what it cannot. */
    static final class NativeWriteChild {
        private NativeWriteChild() {}

        public static void main(String[] arguments) throws Throwable {
            final Store store = Store.create(Path.of(arguments[0]), TestStores.small());
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 1);
            final MemorySegment raw =
                    MemorySegment.ofAddress(volume.snapshot("s").memory().address()).reinterpret(2 << 20);
            try {
                raw.fill((byte) 1);
                System.out.println("fill went through");
            } catch (InternalError e) {
                System.out.println("fill: InternalError");
            }
            final Linker linker = Linker.nativeLinker();
            final MethodHandle memset = linker.downcallHandle(
                    linker.defaultLookup().find("memset").orElseThrow(),
                    FunctionDescriptor.of(
                            ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
            final MemorySegment end = (MemorySegment) memset.invokeExact(raw, 1, 8192L);
            System.out.println("memset went through " + end);
        }
    }

    @Test
    void shouldNotMindEviction() {
        try (Store store = create()) {
            final int pages = 3000; // three times the cache
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(pages * 4096L));
            for (int version = 1; version <= 3; version++) {
                TestStores.writePages(volume, 1, 0, pages, version);
                volume.snapshot("s" + version);
                TestStores.writePages(volume, 1, 0, pages, 9);
                volume.rollback();
            }
            final Random random = new Random(3);
            for (int i = 0; i < 10_000; i++) {
                final int version = 1 + random.nextInt(3);
                final long lpn = random.nextInt(pages);
                TestStores.checkPages(store.snapshotNamed("v@s" + version), 1, lpn, lpn + 1, version);
            }
            assertTrue(store.statistics().cache().evictedPages() > 0);
            assertTrue(store.statistics().cache().residentBytes() <= StoreOptions.CACHE_SIZE_BYTES_MIN * 11 / 10);
        }
    }

    @Test
    void shouldUnmapAndMapAgain() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 1);
            final Snapshot snapshot = volume.snapshot("s");
            snapshot.release();
            final MemorySegment memory = snapshot.memory();
            snapshot.release();
            snapshot.release();
            assertThrows(IllegalStateException.class, () -> memory.get(ValueLayout.JAVA_LONG, 0));
            TestStores.checkPages(snapshot, 1, 0, PAGES, 1);
        }
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
            assertThrows(StoreIoException.class, () -> store.snapshotNamed("s"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "-x", "a@b", "a/b", "a b", "a\n"})
    void shouldRefuseNamesThatConfuse(String name) {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            TestStores.writePages(volume, 1, 0, 3, 1);
            assertThrows(StoreIoException.class, () -> volume.snapshot(name));
            assertThrows(StoreIoException.class, () -> volume.snapshotCommitted(name));
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

    // ---- deleting ----

    /** In the order of the years, against it, and from the middle: what is left is whole, and the rest comes back. */
    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2})
    void shouldGiveBackWhatOnlyDeletedSnapshotsHeld(long seed) throws InterruptedException {
        final int count = 20;
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(16 << 20));
            TestStores.writePages(volume, 1, 0, 500, 1);
            volume.commit();
            store.checkpoint();
            final long before = store.statistics().log().liveBytes();
            final List<Integer> order = new ArrayList<>();
            for (int s = 0; s < count; s++) {
                TestStores.writePages(volume, 1, 500 + s * 10, 520 + s * 10, 2 + s);
                volume.snapshot("s" + s);
                order.add(s);
            }
            TestStores.writePages(volume, 1, 500, 500 + count * 10 + 10, 0xff);
            volume.commit();
            store.checkpoint();
            final long full = store.statistics().log().liveBytes();
            Collections.shuffle(order, new Random(seed));
            for (int s : order) {
                final Snapshot snapshot = store.snapshotNamed("v@s" + s);
                TestStores.checkPages(snapshot, 1, 510 + s * 10, 520 + s * 10, 2 + s);
                snapshot.release();
                snapshot.delete();
            }
            TestStores.await("deletion", () -> store.deletionProgress().isDone());
            assertEquals(0, store.deletionProgress().waiting());
            store.checkpoint();
            store.checkpoint(); // nodes that the first replaced
            final long after = store.statistics().log().liveBytes();
            final long own = (count * 10 + 10) * 4096L;
            assertTrue(full > before + 2 * own - count * 10 * 4096L / 2, "live %d, then %d".formatted(before, full));
            assertTrue(after <= before + own + 64 * 1024, "live %d, %d with snapshots, then %d".formatted(before, full, after));
            TestStores.checkPages(volume, 1, 0, 500, 1);
            TestStores.checkPages(volume, 1, 500, 500 + count * 10 + 10, 0xff);
        }
    }

    @Test
    void shouldRefuseToDeleteWhatIsMappedUntilItIsReleased() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 1);
            final Snapshot snapshot = volume.snapshot("s");
            TestStores.checkPages(snapshot, 1, 0, 1, 1);
            final StoreException e = assertThrows(StoreBusyException.class, snapshot::delete);
            assertTrue(e.getMessage().contains("v@s is mapped"), e.getMessage());
            TestStores.checkPages(snapshot, 1, 0, PAGES, 1);
            snapshot.release();
            snapshot.delete();
            assertThrows(NoSuchSnapshotException.class, () -> store.snapshotNamed("v@s"));
            assertThrows(StoreClosedException.class, snapshot::memory);
            assertThrows(NoSuchSnapshotException.class, snapshot::delete);
            final Snapshot again = volume.snapshot("s");
            TestStores.checkPages(again, 1, 0, PAGES, 1);
        }
    }

    @Test
    void shouldDeleteSeveralOrNone() {
        try (Store store = create();
                Store other = Store.create(directory.resolve("other"), TestStores.small())) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 1);
            final List<Snapshot> snapshots = new ArrayList<>();
            for (int s = 0; s < 5; s++) {
                snapshots.add(volume.snapshot("s" + s));
            }
            snapshots.get(2).cloneAs("clone");
            TestStores.checkPages(snapshots.get(4), 1, 0, 1, 1); // mapped
            assertThrows(StoreBusyException.class, () -> store.deleteSnapshots(snapshots.subList(0, 3)));
            assertThrows(StoreBusyException.class, () -> store.deleteSnapshots(snapshots.subList(3, 5)));
            assertEquals(5, store.snapshots().size());
            final long flushes = store.statistics().log().flushes();
            store.deleteSnapshots(List.of(snapshots.get(0), snapshots.get(1), snapshots.get(3), snapshots.get(0)));
            assertEquals(flushes + 1, store.statistics().log().flushes());
            assertEquals(List.of("s2", "s4"), volume.snapshots().stream().map(Snapshot::name).toList());
            assertThrows(
                    NoSuchSnapshotException.class,
                    () -> store.deleteSnapshots(List.of(snapshots.get(2), snapshots.get(0))));
            store.deleteSnapshots(List.of());
            final Snapshot foreign = other.createVolume("v", TWO_MIB).snapshot("s2");
            assertThrows(StoreIoException.class, () -> store.deleteSnapshots(List.of(foreign)));
        }
    }

    @Test
    void shouldRefuseToDeleteAVolumeThatHasSnapshots() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 1);
            volume.snapshot("one");
            volume.snapshot("two");
            TestStores.writePages(volume, 1, 0, 1, 2);
            final StoreException e = assertThrows(StoreBusyException.class, () -> store.deleteVolume("v"));
            assertTrue(e.getMessage().contains("v@one, v@two"), e.getMessage());
            TestStores.checkPages(volume, 1, 0, 1, 2); // not even unmapped
            volume.snapshots().forEach(Snapshot::delete);
            store.deleteVolume("v");
            assertFalse(store.volumes().contains(volume));
            assertEquals(List.of(), store.snapshots());
        }
    }
}
