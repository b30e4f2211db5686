package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A store's life, its volumes, its statistics. */
@Timeout(60)
class StoreTest extends SmallStoreTest {

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
    void shouldLeaveNoDirectoryWhenCreatingFails() {
        final Path made = directory.resolve("a/b");
        final String tooLong = "x".repeat(300);
        assertThrows(StoreIoException.class, () -> Store.create(made.resolve(tooLong), TestStores.small()));
        assertFalse(Files.exists(made.getParent()));
    }

    @Test
    void shouldSayWhyADirectoryCannotBeMade() {
        final Path impossible = Path.of("/proc/none/of/that");
        assertEquals(
                "cannot create the directory %s: no such file or directory".formatted(impossible),
                assertThrows(StoreIoException.class, () -> Store.create(impossible, TestStores.small())).getMessage());
    }

    @Test
    void shouldCreateInTheWorkingDirectory() throws IOException {
        final Path here = Path.of("");
        try (Store store = Store.create(here, TestStores.small().withCountersFile(false))) {
            assertEquals(here, store.path());
        } finally {
            Files.delete(TestStores.dataFile(here));
        }
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
            assertThrows(IllegalUseException.class, () -> store.createVolume(name, TWO_MIB));
            assertEquals(List.of(), store.volumes());
        }
    }

    @Test
    void shouldHoldNamesOf128Letters() {
        try (Store store = create()) {
            final String longest = "x" + "ä".repeat(127);
            store.createVolume(longest, TWO_MIB);
            store.createVolume("x".repeat(128), TWO_MIB);
            assertThrows(IllegalUseException.class, () -> store.createVolume("x".repeat(129), TWO_MIB));
            final StoreException e =
                    assertThrows(IllegalUseException.class, () -> store.createVolume("ä".repeat(128), TWO_MIB));
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

    @Test
    void shouldWritePagesThatAreInMemoryWithoutAFault() {
        try (Store store = create();
                Arena arena = Arena.ofConfined()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            TestStores.writePages(volume, 1, 0, 50, 1);
            volume.commit();
            final StoreStatistics before = store.statistics();
            final MemorySegment page = arena.allocate(4096);
            for (int lpn = 0; lpn < 50; lpn++) {
                PageContent.write(page, 1, lpn, 2);
                volume.write(lpn * 4096L, page);
            }
            final StoreStatistics after = store.statistics();
            assertEquals(50L * 4096, after.cache().dirtyBytes());
            assertEquals(50, after.cache().firstWriteFaults() - before.cache().firstWriteFaults());
            // Only what came as a fault is timed as one.
            assertEquals(before.latencies().firstWriteFault().count(), after.latencies().firstWriteFault().count());
            volume.commit();
        }
        try (Store store = open()) {
            TestStores.checkPages(store.volume("v"), 1, 0, 50, 2);
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
            final StoreStatistics.Latency missing = after.latencies().writeFault();
            final StoreStatistics.Latency present = after.latencies().firstWriteFault();
            assertTrue(missing.count() > 0 && missing.count() + present.count() >= 50, missing + " " + present);
            assertTrue(missing.p50Nanos() <= missing.p99Nanos() && missing.p99Nanos() <= missing.maxNanos());
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
                    () -> store.statistics().toString());
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
    void shouldLeaveOnlyItsCountersBesideTheDataFile() throws IOException {
        final Path directory;
        try (Store store = create()) {
            directory = store.path();
            TestStores.writePages(store.createVolume("v", TWO_MIB), 1, 0, 4, 1);
            store.commit();
            assertEquals(Set.of(OpenStore.DATA_FILE, "counters", "control.sock"), entriesOf(directory));
        }
        assertEquals(Set.of(OpenStore.DATA_FILE, "counters"), entriesOf(directory));
    }

    private static Set<String> entriesOf(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
        }
    }
}
