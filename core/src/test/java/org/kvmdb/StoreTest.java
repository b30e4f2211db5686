package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A store's life, its volumes, its commits. */
@Timeout(60)
class StoreTest {

    private static final VolumeOptions TWO_MIB = VolumeOptions.ofSizeBytes(2 << 20);

    @TempDir
    Path directory;

    private Store create() {
        return Store.create(directory.resolve("s"), TestStores.small());
    }

    private Store open() {
        return Store.open(directory.resolve("s"), TestStores.small());
    }

    // ---- life ----

    @ParameterizedTest
    @ValueSource(ints = {4096, 8192, 16384, 32768, 65536})
    void shouldReadWhatWasCommittedWhenOpenedAgain(int pageSizeBytes) {
        final int pages = 48;
        try (Store store = create()) {
            final Volume volume = store.createVolume(
                    "v", VolumeOptions.ofSizeBytes(100L * pageSizeBytes).withPageSizeBytes(pageSizeBytes));
            assertEquals(pageSizeBytes, volume.pageSizeBytes());
            TestStores.writePages(volume, 1, 0, pages, 1);
            store.commit();
            TestStores.writePages(volume, 1, 10, 20, 2);
            volume.commit();
            TestStores.checkPages(volume, 1, 10, 20, 2);
        }
        try (Store store = open()) {
            final Volume volume = store.volume("v");
            assertEquals(pageSizeBytes, volume.pageSizeBytes());
            assertEquals(100L * pageSizeBytes, volume.sizeBytes());
            TestStores.checkPages(volume, 1, 0, 10, 1);
            TestStores.checkPages(volume, 1, 10, 20, 2);
            TestStores.checkPages(volume, 1, 20, pages, 1);
            TestStores.checkPages(volume, 1, pages, 100, 0);
        }
    }

    @Test
    void shouldForgetWhatWasNotCommittedWhenClosed() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            TestStores.writePages(volume, 1, 0, 5, 1);
            store.commit();
            TestStores.writePages(volume, 1, 3, 9, 2);
        }
        try (Store store = open()) {
            final Volume volume = store.volume("v");
            TestStores.checkPages(volume, 1, 0, 5, 1);
            TestStores.checkPages(volume, 1, 5, 9, 0);
        }
    }

    @Test
    void shouldRecoverWhatWasCommittedWhenKilled() throws IOException {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            for (int version = 1; version <= 5; version++) {
                TestStores.writePages(volume, 1, 0, 40, version);
                store.commit();
            }
            TestStores.writePages(volume, 1, 0, 40, 6);
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                TestStores.checkPages(recovered.volume("v"), 1, 0, 40, 5);
                assertTrue(recovered.statistics().log().replayedRecords() > 0);
            }
        }
    }

    @Test
    void shouldReplayNothingAfterACheckpoint() throws IOException {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            TestStores.writePages(volume, 1, 0, 40, 1);
            store.commit();
            assertTrue(store.checkpoint() > 0);
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                TestStores.checkPages(recovered.volume("v"), 1, 0, 40, 1);
                assertEquals(0, recovered.statistics().log().replayedRecords());
            }
        }
    }

    @Test
    void shouldCreateMissingDirectories() {
        final Path deep = directory.resolve("a/b/c");
        Store.create(deep, TestStores.small()).close();
        assertTrue(Files.exists(TestStores.dataFile(deep)));
    }

    @Test
    void shouldCloseOnceAndThrowWhenUsedAfterwards() {
        final Store store = create();
        final Volume volume = store.createVolume("v", TWO_MIB);
        final MemorySegment memory = volume.memory();
        memory.set(ValueLayout.JAVA_LONG, 0, 1);
        store.close();
        store.close();
        assertThrows(IllegalStateException.class, () -> memory.get(ValueLayout.JAVA_LONG, 0));
        assertThrows(StoreClosedException.class, volume::memory);
        assertThrows(StoreClosedException.class, volume::commit);
        assertThrows(StoreClosedException.class, volume::rollback);
        assertThrows(StoreClosedException.class, volume::readScope);
        assertThrows(StoreClosedException.class, volume::writeScope);
        assertThrows(StoreClosedException.class, () -> volume.load(0, 1));
        assertThrows(StoreClosedException.class, () -> volume.resize(1));
        assertThrows(StoreClosedException.class, () -> volume.pin(0, 1, PinMode.READ));
        assertThrows(StoreClosedException.class, store::commit);
        assertThrows(StoreClosedException.class, store::rollback);
        assertThrows(StoreClosedException.class, store::sync);
        assertThrows(StoreClosedException.class, store::commitAsync);
        assertThrows(StoreClosedException.class, store::checkpoint);
        assertThrows(StoreClosedException.class, store::statistics);
        assertThrows(StoreClosedException.class, store::volumes);
        assertThrows(StoreClosedException.class, () -> store.volume("v"));
        assertThrows(StoreClosedException.class, () -> store.createVolume("w", TWO_MIB));
        assertThrows(StoreClosedException.class, () -> store.deleteVolume("v"));
    }

    // ---- what cannot be opened or created ----

    @Test
    void shouldRefuseToCreateOverAStore() {
        create().close();
        assertThrows(StoreExistsException.class, this::create);
        open().close();
    }

    @Test
    void shouldRefuseToOpenNothing() {
        assertThrows(NotAStoreException.class, this::open);
        assertFalse(Files.exists(directory.resolve("s")));
    }

    @Test
    void shouldRefuseToOpenOrCreateInAFile() throws IOException {
        final Path file = Files.write(directory.resolve("s"), new byte[100]);
        assertThrows(NotAStoreException.class, this::open);
        assertThrows(NotAStoreException.class, this::create);
        assertEquals(100, Files.size(file));
    }

    @Test
    void shouldRefuseToOpenGarbage() throws IOException {
        final byte[] garbage = new byte[3 << 20];
        new Random(5).nextBytes(garbage);
        Files.createDirectory(directory.resolve("s"));
        Files.write(TestStores.dataFile(directory.resolve("s")), garbage);
        assertThrows(WrongMagicException.class, this::open);
        assertEquals(-1, Files.mismatch(
                TestStores.dataFile(directory.resolve("s")), Files.write(directory.resolve("copy"), garbage)));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 512, 4096, 262144, 1 << 20, (1 << 20) + 4096})
    void shouldSayThatATruncatedStoreIsNoWholeStore(long lengthBytes) throws IOException {
        try (Store store = create()) {
            TestStores.writePages(store.createVolume("v", TWO_MIB), 1, 0, 100, 1);
            store.commit();
        }
        try (FileChannel file = FileChannel.open(TestStores.dataFile(directory.resolve("s")), StandardOpenOption.WRITE)) {
            file.truncate(lengthBytes);
        }
        final StoreException e = assertThrows(StoreException.class, this::open);
        assertFalse(e instanceof StoreInUseException, e.toString());
        assertEquals(lengthBytes, Files.size(TestStores.dataFile(directory.resolve("s"))));
    }

    @Test
    void shouldRefuseADataFileThatIsASymbolicLink() throws IOException {
        create().close();
        Files.createDirectory(directory.resolve("t"));
        Files.createSymbolicLink(
                TestStores.dataFile(directory.resolve("t")), TestStores.dataFile(directory.resolve("s")));
        assertThrows(StoreException.class, () -> Store.open(directory.resolve("t"), TestStores.small()));
    }

    // ---- one at a time ----

    @Test
    void shouldBeOpenOnceThroughWhateverName() throws IOException {
        final Path linkedDirectory = directory.resolve("link");
        final Path other = Files.createDirectory(directory.resolve("other"));
        try (Store store = create()) {
            assertThrows(StoreInUseException.class, this::open);
            assertThrows(StoreException.class, this::create);
            Files.createSymbolicLink(linkedDirectory, store.path());
            assertThrows(StoreInUseException.class, () -> Store.open(linkedDirectory, TestStores.small()));
            Files.createLink(TestStores.dataFile(other), TestStores.dataFile(store.path()));
            assertThrows(StoreInUseException.class, () -> Store.open(other, TestStores.small()));
            // The attempts did no harm.
            store.createVolume("v", TWO_MIB);
        }
        try (Store store = Store.open(linkedDirectory, TestStores.small())) {
            assertEquals(1, store.volumes().size());
        }
        try (Store store = Store.open(other, TestStores.small())) {
            assertEquals(1, store.volumes().size());
        }
    }

    @Test
    void shouldBeOpenInOneProcess() throws Exception {
        try (Store store = create();
                ChildJvm child = ChildJvm.start(directory, List.of("-Xmx64m"), OpenElsewhere.class, store.path())) {
            assertTrue(child.awaitSuccess(30).contains("StoreInUseException"), child.output());
        }
        try (ChildJvm child = ChildJvm.start(directory, List.of("-Xmx64m"), OpenElsewhere.class, directory.resolve("s"))) {
            child.awaitOutput("opened", 30);
            assertThrows(StoreInUseException.class, this::open);
            child.kill();
        }
        open().close();
    }

    /** Opens the store, says how that went, and keeps it open until killed. */
    static final class OpenElsewhere {
        private OpenElsewhere() {}

        public static void main(String[] arguments) throws InterruptedException {
            try (Store store = Store.open(Path.of(arguments[0]), TestStores.small())) {
                System.out.println("opened " + store.path());
                Thread.sleep(60_000);
            } catch (StoreException e) {
                System.out.println(e);
            }
        }
    }

    // ---- volumes ----

    @Test
    void shouldListVolumesByName() {
        try (Store store = create()) {
            for (String name : List.of("b", "a", "C", "7.x", "ä_-")) {
                store.createVolume(name, TWO_MIB);
            }
            assertEquals(List.of("7.x", "C", "a", "b", "ä_-"), store.volumes().stream().map(Volume::name).toList());
            assertSame(store.volume("a"), store.volume("a"));
            assertSame(store.volume("a"), store.volumes().get(2));
        }
        try (Store store = open()) {
            assertEquals(5, store.volumes().size());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "-x", "_x", "a/b", "a b", "a\n", "a\0", "\u200b"})
    void shouldRefuseNamesThatConfuse(String name) {
        try (Store store = create()) {
            assertThrows(StoreIoException.class, () -> store.createVolume(name, TWO_MIB));
            assertEquals(List.of(), store.volumes());
        }
    }

    @Test
    void shouldHoldNamesOf128Letters() {
        try (Store store = create()) {
            final String longest = "x" + "ä".repeat(127);
            store.createVolume(longest, TWO_MIB);
            store.createVolume("x".repeat(128), TWO_MIB);
            assertThrows(StoreIoException.class, () -> store.createVolume("x".repeat(129), TWO_MIB));
            final StoreException e =
                    assertThrows(StoreIoException.class, () -> store.createVolume("ä".repeat(128), TWO_MIB));
            assertTrue(e.getMessage().contains("255 bytes"), e.getMessage());
            store.checkpoint();
        }
        try (Store store = open()) {
            assertEquals("x" + "ä".repeat(127), store.volumes().getLast().name());
        }
    }

    @Test
    void shouldSayWhichVolumeIsMissingOrThere() {
        try (Store store = create()) {
            store.createVolume("v", TWO_MIB);
            assertTrue(assertThrows(VolumeExistsException.class, () -> store.createVolume("v", TWO_MIB))
                    .getMessage()
                    .contains("v"));
            assertTrue(assertThrows(NoSuchVolumeException.class, () -> store.volume("nine"))
                    .getMessage()
                    .contains("nine"));
            assertThrows(NoSuchVolumeException.class, () -> store.deleteVolume("nine"));
        }
    }

    @Test
    void shouldReuseTheNameOfADeletedVolume() throws IOException {
        try (Store store = create()) {
            final Volume old = store.createVolume("v", TWO_MIB);
            final MemorySegment memory = old.memory();
            TestStores.writePages(old, 1, 0, 20, 1);
            store.commit();
            TestStores.writePages(old, 1, 0, 20, 2);
            store.deleteVolume("v");
            assertThrows(IllegalStateException.class, () -> memory.get(ValueLayout.JAVA_LONG, 0));
            assertThrows(StoreException.class, old::memory);
            assertThrows(StoreException.class, old::commit);
            assertThrows(NoSuchVolumeException.class, () -> store.volume("v"));
            store.commit();

            final Volume fresh = store.createVolume("v", VolumeOptions.ofSizeBytes(1 << 20).withPageSizeBytes(16384));
            assertNotSame(old, fresh);
            TestStores.checkPages(fresh, 1, 0, 64, 0);
            TestStores.writePages(fresh, 2, 3, 5, 1);
            store.commit();
            assertThrows(StoreException.class, old::memory);
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                TestStores.checkPages(recovered.volume("v"), 2, 3, 5, 1);
                TestStores.checkPages(recovered.volume("v"), 2, 5, 64, 0);
            }
        }
    }

    @Test
    void shouldRefuseVolumesOfAnotherStore() {
        try (Store store = create();
                Store other = Store.create(directory.resolve("t"), TestStores.small())) {
            final Volume volume = other.createVolume("v", TWO_MIB);
            assertThrows(StoreException.class, () -> store.commit(List.of(volume)));
        }
    }

    // ---- commit and rollback ----

    @Test
    void shouldRollBackToTheLastCommit() {
        try (Store store = create()) {
            final Volume a = store.createVolume("a", TWO_MIB);
            final Volume b = store.createVolume("b", TWO_MIB);
            TestStores.writePages(a, 1, 0, 10, 1);
            TestStores.writePages(b, 2, 0, 10, 1);
            store.commit();
            TestStores.writePages(a, 1, 5, 20, 2);
            TestStores.writePages(b, 2, 5, 20, 2);
            a.rollback();
            TestStores.checkPages(a, 1, 0, 10, 1);
            TestStores.checkPages(a, 1, 10, 20, 0);
            TestStores.checkPages(b, 2, 5, 20, 2);
            store.rollback();
            TestStores.checkPages(b, 2, 0, 10, 1);
            TestStores.checkPages(b, 2, 10, 20, 0);
            assertEquals(0, store.statistics().cache().dirtyBytes());
            TestStores.writePages(a, 1, 5, 20, 3);
            store.commit();
        }
        try (Store store = open()) {
            TestStores.checkPages(store.volume("a"), 1, 5, 20, 3);
            TestStores.checkPages(store.volume("b"), 2, 10, 20, 0);
        }
    }

    @Test
    void shouldCommitSeveralVolumesAtomically() throws IOException {
        try (Store store = create()) {
            final Volume a = store.createVolume("a", TWO_MIB);
            final Volume b = store.createVolume("b", TWO_MIB);
            final Volume c = store.createVolume("c", TWO_MIB);
            for (Volume volume : List.of(a, b, c)) {
                TestStores.writePages(volume, 1, 0, 30, 1);
            }
            store.commit(List.of(a, b));
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                TestStores.checkPages(recovered.volume("a"), 1, 0, 30, 1);
                TestStores.checkPages(recovered.volume("b"), 1, 0, 30, 1);
                TestStores.checkPages(recovered.volume("c"), 1, 0, 30, 0);
            }
        }
    }

    @Test
    void shouldCommitNothingWhenNothingWasWritten() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            store.commit();
            volume.commit();
            store.commit(List.of());
            store.sync();
            store.rollback();
            assertTrue(store.commitAsync() >= 0);
        }
    }

    @Test
    void shouldRefuseToCommitInsideAWriteScopeOfOnesOwn() {
        try (Store store = create()) {
            final Volume a = store.createVolume("a", TWO_MIB);
            final Volume b = store.createVolume("b", TWO_MIB);
            try (Scope _ = a.writeScope();
                    Scope _ = a.writeScope()) {
                a.memory().set(ValueLayout.JAVA_LONG, 0, 7);
                assertThrows(StoreBusyException.class, store::commit);
                assertThrows(StoreBusyException.class, b::commit);
                assertThrows(StoreBusyException.class, a::rollback);
                assertThrows(StoreBusyException.class, store::commitAsync);
                assertThrows(StoreBusyException.class, () -> a.resize(4 << 20));
                assertThrows(StoreBusyException.class, () -> store.deleteVolume("a"));
                assertThrows(StoreBusyException.class, store::close);
            }
            store.commit();
            assertEquals(7, a.memory().get(ValueLayout.JAVA_LONG, 0));
        }
        try (Store store = open()) {
            assertEquals(7, store.volume("a").memory().get(ValueLayout.JAVA_LONG, 0));
        }
    }

    @Test
    void shouldNotCutThroughAWriteScopeWithACommit() throws Exception {
        try (Store store = create();
                ExecutorService threads = Executors.newCachedThreadPool()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final Scope scope = volume.writeScope();
            TestStores.writePages(volume, 1, 0, 1, 1);
            final Future<?> commit = threads.submit(() -> store.commit());
            Thread.sleep(100);
            assertFalse(commit.isDone());
            TestStores.writePages(volume, 1, 400, 401, 1);
            scope.close();
            commit.get(20, TimeUnit.SECONDS);
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                TestStores.checkPages(recovered.volume("v"), 1, 0, 1, 1);
                TestStores.checkPages(recovered.volume("v"), 1, 400, 401, 1);
            }
        }
    }

    /** A committer that held one volume while it waits for the scopes of the next would be waited for by their owners. */
    @Test
    void shouldNotHangWhenScopesAreNestedInAnyOrder() throws Exception {
        try (Store store = create();
                ExecutorService threads = Executors.newCachedThreadPool()) {
            final Volume a = store.createVolume("a", TWO_MIB);
            final Volume b = store.createVolume("b", TWO_MIB);
            final AtomicBoolean stop = new AtomicBoolean();
            final List<Future<?>> work = List.of(
                    threads.submit(() -> nestScopes(a, b, 0, stop)),
                    threads.submit(() -> nestScopes(b, a, 1, stop)));
            final Future<?> commits = threads.submit(() -> {
                for (int i = 0; i < 200; i++) {
                    store.commit();
                }
            });
            try {
                commits.get(30, TimeUnit.SECONDS);
            } finally {
                stop.set(true);
            }
            for (Future<?> writer : work) {
                writer.get(20, TimeUnit.SECONDS);
            }
        }
    }

    private static void nestScopes(Volume first, Volume second, long lpn, AtomicBoolean stop) {
        for (long i = 1; !stop.get(); i++) {
            try (Scope _ = first.writeScope()) {
                first.memory().set(ValueLayout.JAVA_LONG, lpn * 4096, i);
                Thread.yield();
                try (Scope _ = second.writeScope()) {
                    second.memory().set(ValueLayout.JAVA_LONG, lpn * 4096, i);
                }
            }
        }
    }

    @Test
    void shouldMakeAsynchronousCommitsDurableWithSync() throws IOException {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            long last = 0;
            for (int version = 1; version <= 10; version++) {
                TestStores.writePages(volume, 1, 0, 3, version);
                final long sequence = store.commitAsync();
                assertTrue(sequence > last, () -> "sequence " + sequence);
                last = sequence;
            }
            store.sync();
            assertTrue(store.statistics().log().durableSequence() >= last);
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                TestStores.checkPages(recovered.volume("v"), 1, 0, 3, 10);
            }
        }
    }

    @Test
    void shouldGroupCommitsOfManyThreads() throws Exception {
        final int threadCount = 8;
        final int commitsEach = 40;
        try (Store store = create();
                ExecutorService threads = Executors.newFixedThreadPool(threadCount)) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final List<Future<?>> done = new ArrayList<>();
            for (int t = 0; t < threadCount; t++) {
                final long lpn = t;
                done.add(threads.submit(() -> {
                    for (int version = 1; version <= commitsEach; version++) {
                        PageContent.write(TestStores.page(volume, lpn), 1, lpn, version);
                        store.commit();
                    }
                }));
            }
            for (Future<?> thread : done) {
                thread.get(50, TimeUnit.SECONDS);
            }
            TestStores.checkPages(volume, 1, 0, threadCount, commitsEach);
            assertEquals(threadCount * commitsEach, store.statistics().log().commits());
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                TestStores.checkPages(recovered.volume("v"), 1, 0, threadCount, commitsEach);
            }
        }
    }

    // ---- statistics ----

    @Test
    void shouldCountWhatHappens() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            TestStores.writePages(volume, 1, 0, 50, 1);
            final StoreStatistics before = store.statistics();
            assertEquals(50L * 4096, before.cache().dirtyBytes());
            assertTrue(before.cache().writeFaults() + before.cache().firstWriteFaults() >= 50);
            store.commit();
            final StoreStatistics after = store.statistics();
            assertEquals(0, after.cache().dirtyBytes());
            assertEquals(StoreOptions.CACHE_SIZE_BYTES_MIN, after.cache().budgetBytes());
            assertTrue(after.cache().residentBytes() > 50 * 4096);
            assertEquals(before.log().commits() + 1, after.log().commits());
            assertEquals(50, after.log().committedPages() - before.log().committedPages());
            assertTrue(after.log().batches() > before.log().batches());
            assertTrue(after.log().flushes() > before.log().flushes());
            final long written = after.log().bytesWritten() - before.log().bytesWritten();
            // Half of the pages do not compress.
            assertTrue(written >= 25 * 4096, () -> "written " + written);
            assertTrue(after.log().blockBytes() - before.log().blockBytes() <= written);
            assertTrue(after.log().liveBytes() >= 25 * 4096);
            assertTrue(after.log().durableSequence() <= after.log().sequence());
            assertEquals(0, after.cache().badPages());
            assertTrue(after.cache().faultLatency().count() >= 50);
            assertTrue(after.cache().faultLatency().p50Nanos() <= after.cache().faultLatency().p99Nanos());
            assertTrue(after.cache().faultLatency().p99Nanos() <= after.cache().faultLatency().maxNanos());
        }
        try (Store store = open()) {
            store.volume("v").load(0, 50 * 4096);
            final StoreStatistics statistics = store.statistics();
            assertTrue(statistics.cache().filledPages() >= 50);
            assertTrue(statistics.log().recoveryNanos() > 0);
            assertTrue(statistics.log().fileBytes() > 0);
            assertTrue(statistics.log().mapBytes() > 0);
        }
    }

    // ---- the front end's own log ----

    private static final class RecordingLog implements WriteAheadLog {
        private final StringBuilder calls = new StringBuilder();
        private long lsn = 100;
        private Runnable onFlush = () -> {};

        @Override
        public long currentLsn() {
            calls.append("lsn ").append(lsn).append('\n');
            return lsn;
        }

        @Override
        public void flushTo(long upTo) {
            calls.append("flush ").append(upTo).append('\n');
            onFlush.run();
        }
    }

    @Test
    void shouldHaveTheFrontEndsLogDurableBeforeItsPages() throws IOException {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final RecordingLog log = new RecordingLog();
            volume.writeAheadLog(log);
            assertEquals(0, volume.committedLsn());
            PageContent.write(TestStores.page(volume, 0), 1, 0, 1);
            final long blockBytes = store.statistics().log().blockBytes();
            log.onFlush = () -> {
                assertEquals(blockBytes, store.statistics().log().blockBytes());
                assertEquals(0, volume.committedLsn());
            };
            store.commit();
            assertEquals("lsn 100\nflush 100\n", log.calls.toString());
            assertEquals(100, volume.committedLsn());
            log.onFlush = () -> {};
            log.lsn = 250;
            PageContent.write(TestStores.page(volume, 0), 1, 0, 2);
            volume.commit();
            assertEquals(250, volume.committedLsn());
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                assertEquals(250, recovered.volume("v").committedLsn());
                TestStores.checkPages(recovered.volume("v"), 1, 0, 1, 2);
            }
            volume.writeAheadLog(null);
            PageContent.write(TestStores.page(volume, 0), 1, 0, 3);
            volume.commit();
            assertEquals(250, volume.committedLsn());
        }
        try (Store store = open()) {
            assertEquals(250, store.volume("v").committedLsn());
        }
    }

    @Test
    void shouldCommitNothingWhenTheFrontEndsLogFails() throws IOException {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final Volume other = store.createVolume("w", TWO_MIB);
            final RecordingLog log = new RecordingLog();
            volume.writeAheadLog(log);
            log.onFlush = () -> {
                throw new IllegalArgumentException("log disk is full");
            };
            PageContent.write(TestStores.page(volume, 0), 1, 0, 1);
            PageContent.write(TestStores.page(other, 0), 2, 0, 1);
            assertThrows(IllegalArgumentException.class, volume::commit);
            other.commit();
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                TestStores.checkPages(recovered.volume("v"), 1, 0, 1, 0);
                TestStores.checkPages(recovered.volume("w"), 2, 0, 1, 1);
            }
            // The pages are dirty still, and belong to the next commit.
            log.onFlush = () -> {};
            store.commit();
        }
        try (Store store = open()) {
            TestStores.checkPages(store.volume("v"), 1, 0, 1, 1);
            assertEquals(100, store.volume("v").committedLsn());
        }
    }

    // ---- space ----

    @Test
    void shouldReuseSegmentsThatHoldNothingLive() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            for (int version = 1; version <= 100; version++) {
                TestStores.writePages(volume, 1, 0, 100, version);
                store.commit();
                if (version % 10 == 0) {
                    store.checkpoint();
                }
            }
            // 100 versions of some 220 KiB were written, one is live.
            assertTrue(store.statistics().log().bytesWritten() > 20 << 20);
            assertTrue(
                    store.statistics().log().fileBytes() < 12 << 20,
                    () -> "file holds " + store.statistics().log().fileBytes());
            TestStores.checkPages(volume, 1, 0, 100, 100);
        }
        try (Store store = open()) {
            TestStores.checkPages(store.volume("v"), 1, 0, 100, 100);
        }
    }

    @Test
    void shouldHoldManyVolumesAtOnce() {
        try (Store store = create()) {
            for (int v = 0; v < 40; v++) {
                final Volume volume = store.createVolume("v" + v, TWO_MIB);
                TestStores.writePages(volume, v, 0, 4, 1);
            }
            store.commit();
        }
        try (Store store = open()) {
            for (int v = 0; v < 40; v++) {
                TestStores.checkPages(store.volume("v" + v), v, 0, 4, 1);
            }
        }
    }

    @Test
    void shouldLeaveNothingBesideTheDataFile() throws IOException {
        try (Store store = create()) {
            TestStores.writePages(store.createVolume("v", TWO_MIB), 1, 0, 4, 1);
            store.commit();
            try (var files = Files.list(store.path())) {
                assertEquals(List.of(OpenStore.DATA_FILE), files.map(f -> f.getFileName().toString()).toList());
            }
        }
    }
}
