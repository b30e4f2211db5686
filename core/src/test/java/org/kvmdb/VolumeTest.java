package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory of one volume: sizes, ranges, pins, copies. */
@Timeout(60)
class VolumeTest {

    private static final int PAGES = 256;

    @TempDir
    Path directory;

    private Store store;
    private Volume volume;

    @BeforeEach
    void open() {
        store = Store.create(directory.resolve("s"), TestStores.small());
        volume = store.createVolume("v", VolumeOptions.ofSizeBytes(PAGES * 4096));
    }

    @AfterEach
    void close() {
        store.close();
    }

    private void reopen() {
        store.close();
        store = Store.open(directory.resolve("s"), TestStores.small());
        volume = store.volume("v");
    }

    // ---- sizes ----

    @Test
    void shouldRoundItsSizeUpToWholePages() {
        final Volume odd = store.createVolume("odd", VolumeOptions.ofSizeBytes(16385).withPageSizeBytes(16384));
        assertEquals(32768, odd.sizeBytes());
        assertEquals(32768, odd.memory().byteSize());
        odd.resize(1);
        assertEquals(16384, odd.memory().byteSize());
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 65536})
    void shouldReadZerosWhereItShrankAndGrewAgain(int pageSizeBytes) {
        final Volume resized =
                store.createVolume("r", VolumeOptions.ofSizeBytes(40L * pageSizeBytes).withPageSizeBytes(pageSizeBytes));
        final MemorySegment old = resized.memory();
        TestStores.writePages(resized, 1, 0, 40, 1);
        store.commit();
        TestStores.writePages(resized, 1, 15, 25, 2);
        resized.resize(20L * pageSizeBytes);
        assertEquals(20L * pageSizeBytes, resized.memory().byteSize());
        assertEquals(old.address(), resized.memory().address());
        TestStores.checkPages(resized, 1, 0, 15, 1);
        TestStores.checkPages(resized, 1, 15, 20, 2);
        resized.resize(60L * pageSizeBytes);
        TestStores.checkPages(resized, 1, 0, 15, 1);
        TestStores.checkPages(resized, 1, 15, 20, 2);
        TestStores.checkPages(resized, 1, 20, 60, 0);
        // The older segment still serves the part that it covers.
        PageContent.check(TestStores.page(old, 3, pageSizeBytes), 1, 3, 1);
        resized.rollback();
        TestStores.checkPages(resized, 1, 0, 20, 1);
        TestStores.checkPages(resized, 1, 20, 60, 0);
        TestStores.writePages(resized, 1, 50, 60, 5);
        store.commit();
        store.close();
        store = Store.open(directory.resolve("s"), TestStores.small());
        final Volume again = store.volume("r");
        assertEquals(60L * pageSizeBytes, again.sizeBytes());
        TestStores.checkPages(again, 1, 0, 20, 1);
        TestStores.checkPages(again, 1, 20, 50, 0);
        TestStores.checkPages(again, 1, 50, 60, 5);
    }

    @Test
    void shouldKeepItsSizeWhenKilledAfterAResize() throws IOException {
        TestStores.writePages(volume, 1, 0, PAGES, 1);
        store.commit();
        volume.resize(100 * 4096);
        final Path first = TestStores.killedCopy(store.path(), directory.resolve("k1"));
        volume.resize(300 * 4096);
        final Path second = TestStores.killedCopy(store.path(), directory.resolve("k2"));
        try (Store killed = Store.open(first, TestStores.small())) {
            assertEquals(100 * 4096, killed.volume("v").sizeBytes());
            TestStores.checkPages(killed.volume("v"), 1, 0, 100, 1);
        }
        try (Store killed = Store.open(second, TestStores.small())) {
            assertEquals(300 * 4096, killed.volume("v").sizeBytes());
            TestStores.checkPages(killed.volume("v"), 1, 0, 100, 1);
            TestStores.checkPages(killed.volume("v"), 1, 100, 300, 0);
        }
    }

    @Test
    void shouldRaiseAnErrorBeyondTheEndThroughAnOldSegment() {
        final MemorySegment old = volume.memory();
        volume.resize(10 * 4096);
        assertThrows(CorruptPageException.class, () -> {
            try (Scope _ = volume.readScope()) {
                try {
                    old.get(ValueLayout.JAVA_LONG, 20 * 4096);
                } catch (InternalError e) {
                    // may come here or not; the scope knows
                }
            }
        });
        store.rollback();
        TestStores.writePages(volume, 1, 0, 10, 1);
        store.commit();
    }

    @Test
    void shouldResizeWithoutMappingWhenItIsNotMapped() {
        TestStores.writePages(volume, 1, 0, PAGES, 1);
        store.commit();
        final long sizeBytes = volume.sizeBytes();
        final Path path = store.path();
        store.close();
        store = Store.open(path, TestStores.small());
        volume = store.volume("v");
        // Far beyond what a mapping would have reserved.
        volume.resize(1L << 40);
        volume.resize(10 * 4096);
        volume.resize(sizeBytes);
        assertFalse(volume.isMapped());
        TestStores.checkPages(volume, 1, 0, 10, 1);
        assertTrue(volume.isMapped());
        for (long lpn = 10; lpn < PAGES; lpn++) {
            assertEquals(0, volume.memory().get(ValueLayout.JAVA_LONG, lpn * 4096));
        }
    }

    @Test
    void shouldRefuseSizesThatCannotBe() {
        volume.memory();
        assertThrows(StoreException.class, () -> volume.resize(0));
        assertThrows(StoreException.class, () -> volume.resize(-1));
        assertThrows(StoreBusyException.class, () -> volume.resize(1L << 40));
        assertThrows(StoreException.class, () -> volume.resize(Long.MAX_VALUE));
        assertEquals(PAGES * 4096, volume.sizeBytes());
        assertThrows(IllegalArgumentException.class, () -> VolumeOptions.ofSizeBytes(0));
        assertThrows(IllegalArgumentException.class, () -> VolumeOptions.ofSizeBytes(1).withPageSizeBytes(2048));
        assertThrows(IllegalArgumentException.class, () -> VolumeOptions.ofSizeBytes(1).withPageSizeBytes(12288));
        assertThrows(IllegalArgumentException.class, () -> VolumeOptions.ofSizeBytes(1).withPageSizeBytes(131072));
    }

    @Test
    void shouldResizeWhileOthersReadAndWrite() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            final Future<?> writer = threads.submit(() -> {
                for (int version = 1; version <= 300; version++) {
                    TestStores.writePages(volume, 1, 0, 50, version);
                    TestStores.checkPages(volume, 1, 0, 50, version);
                    if (version % 10 == 0) {
                        volume.commit();
                    }
                }
            });
            for (int i = 0; !writer.isDone(); i++) {
                volume.resize((i % 2 == 0 ? 60 : 1000) * 4096L);
            }
            writer.get(40, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldBeSparse() {
        final Volume huge = store.createVolume("huge", VolumeOptions.ofSizeBytes(1L << 40));
        final Random random = new Random(3);
        for (int i = 0; i < 200; i++) {
            huge.memory().set(ValueLayout.JAVA_LONG, random.nextLong((1L << 40) / 4096) * 4096, i + 1);
        }
        store.commit();
        store.close();
        store = Store.open(directory.resolve("s"), TestStores.small());
        final MemorySegment memory = store.volume("huge").memory();
        final Random same = new Random(3);
        for (int i = 0; i < 200; i++) {
            assertEquals(i + 1, memory.get(ValueLayout.JAVA_LONG, same.nextLong((1L << 40) / 4096) * 4096));
        }
        assertTrue(store.statistics().log().fileBytes() < 64 << 20);
    }

    // ---- ranges ----

    @Test
    void shouldCheckRanges() {
        final MemorySegment two = MemorySegment.ofArray(new byte[2]);
        final long size = volume.sizeBytes();
        for (long offset : new long[] {-1, size - 1, size, Long.MAX_VALUE}) {
            assertThrows(IndexOutOfBoundsException.class, () -> volume.load(offset, 2));
            assertThrows(IndexOutOfBoundsException.class, () -> volume.prefetch(offset, 2));
            assertThrows(IndexOutOfBoundsException.class, () -> volume.pin(offset, 2, PinMode.READ));
            assertThrows(IndexOutOfBoundsException.class, () -> volume.read(offset, two));
            assertThrows(IndexOutOfBoundsException.class, () -> volume.write(offset, two));
        }
        assertThrows(IndexOutOfBoundsException.class, () -> volume.load(0, -1));
        assertThrows(IndexOutOfBoundsException.class, () -> volume.load(1, Long.MAX_VALUE));
        volume.load(size, 0);
        volume.prefetch(0, 0);
        volume.pin(size, 0, PinMode.WRITE).close();
        volume.read(size, MemorySegment.ofArray(new byte[0]));
        store.commit();
    }

    @Test
    void shouldReadAndWriteUnalignedRangesLargerThanThePieces() {
        final byte[] written = new byte[900_001];
        new Random(8).nextBytes(written);
        volume.write(4095, MemorySegment.ofArray(written));
        store.commit();
        reopen();
        final byte[] read = new byte[written.length];
        volume.read(4095, MemorySegment.ofArray(read));
        assertArrayEquals(written, read);
        assertEquals(0, volume.memory().get(ValueLayout.JAVA_BYTE, 4094));
        assertEquals(0, volume.memory().get(ValueLayout.JAVA_BYTE, 4095 + written.length));
    }

    @Test
    void shouldBringInWhatIsLoadedOrPrefetched() throws InterruptedException {
        TestStores.writePages(volume, 1, 0, PAGES, 1);
        store.commit();
        reopen();
        volume.load(10 * 4096 + 5, 20 * 4096);
        final StoreStatistics.Cache loaded = store.statistics().cache();
        assertTrue(loaded.filledPages() >= 21, () -> "filled " + loaded.filledPages());
        final long faults = readFaults();
        TestStores.checkPages(volume, 1, 10, 31, 1);
        assertEquals(faults, readFaults());
        volume.prefetch(100 * 4096, 50 * 4096);
        TestStores.await(
                "prefetched", () -> store.statistics().cache().filledPages() >= loaded.filledPages() + 50);
        TestStores.checkPages(volume, 1, 100, 150, 1);
        assertEquals(faults, readFaults());
    }

    private long readFaults() {
        return store.statistics().latencies().readFault().count();
    }

    // ---- pins ----

    @Test
    void shouldHandPinnedMemoryToSystemCalls() throws IOException {
        TestStores.writePages(volume, 1, 0, PAGES, 1);
        store.commit();
        reopen();
        final Path out = directory.resolve("out");
        try (FileChannel file = FileChannel.open(
                out, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            final MemorySegment range = volume.memory().asSlice(50 * 4096, 20 * 4096);
            // The kernel raises no page faults for us.
            assertThrows(IOException.class, () -> file.write(range.asByteBuffer(), 0));
            try (Pin _ = volume.pin(50 * 4096, 20 * 4096, PinMode.READ)) {
                assertEquals(20 * 4096, file.write(range.asByteBuffer(), 0));
            }
            final MemorySegment written = file.map(FileChannel.MapMode.READ_ONLY, 0, 20 * 4096, Arena.ofAuto());
            for (int i = 0; i < 20; i++) {
                PageContent.check(TestStores.page(written, i, 4096), 1, 50 + i, 1);
            }
            final MemorySegment target = volume.memory().asSlice(100 * 4096, 20 * 4096);
            assertThrows(IOException.class, () -> file.read(target.asByteBuffer(), 0));
            try (Pin _ = volume.pin(100 * 4096, 20 * 4096, PinMode.WRITE)) {
                assertEquals(20 * 4096, file.read(target.asByteBuffer(), 0));
            }
        }
        store.commit();
        reopen();
        for (int i = 0; i < 20; i++) {
            PageContent.check(TestStores.page(volume, 100 + i), 1, 50 + i, 1);
        }
    }

    @Test
    void shouldKeepPinnedPagesWhileEverythingElseIsEvicted() throws IOException {
        final Volume other = store.createVolume("w", VolumeOptions.ofSizeBytes(16 << 20));
        TestStores.writePages(volume, 1, 0, 20, 1);
        store.commit();
        try (Pin _ = volume.pin(0, 20 * 4096, PinMode.READ);
                FileChannel file = FileChannel.open(
                        directory.resolve("out"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            for (int version = 1; version <= 2; version++) {
                TestStores.writePages(other, 2, 0, 4096, version);
                store.commit();
            }
            // Dirty ones leave by the spill area when the commit is late.
            final StoreStatistics.Cache cache = store.statistics().cache();
            assertTrue(cache.evictedPages() + cache.spilledPages() > 4096, cache::toString);
            assertEquals(20 * 4096, file.write(volume.memory().asSlice(0, 20 * 4096).asByteBuffer()));
        }
    }

    @Test
    void shouldWaitWithACommitForAWritePin() throws Exception {
        try (ExecutorService threads = Executors.newSingleThreadExecutor()) {
            final Pin pin = volume.pin(0, 4096, PinMode.WRITE);
            final Future<?> commit = threads.submit(() -> store.commit());
            Thread.sleep(150);
            assertFalse(commit.isDone());
            // Whoever holds the pin can go on meanwhile.
            try (Scope _ = volume.writeScope()) {
                PageContent.write(TestStores.page(volume, 0), 1, 0, 1);
            }
            pin.close();
            pin.close();
            commit.get(20, TimeUnit.SECONDS);
        }
        reopen();
        TestStores.checkPages(volume, 1, 0, 1, 1);
    }

    @Test
    void shouldNotRollBackUnderAPin() {
        TestStores.writePages(volume, 1, 0, 2, 1);
        try (Pin _ = volume.pin(0, 4096, PinMode.READ)) {
            assertThrows(StoreBusyException.class, volume::rollback);
            TestStores.checkPages(volume, 1, 0, 2, 1);
        }
        volume.rollback();
        TestStores.checkPages(volume, 1, 0, 2, 0);
    }

    @Test
    void shouldRefuseToPinMoreThanTheCacheCanSpare() {
        final Volume large = store.createVolume("large", VolumeOptions.ofSizeBytes(16 << 20));
        assertThrows(StoreBusyException.class, () -> large.pin(0, 3 << 20, PinMode.READ));
        try (Pin _ = large.pin(0, 1 << 20, PinMode.READ)) {
            assertThrows(StoreBusyException.class, () -> large.pin(2 << 20, 3 << 19, PinMode.READ));
        }
        // What was refused is not counted; what was closed comes back.
        for (int i = 0; i < 50; i++) {
            large.pin(0, 3 << 19, PinMode.READ).close();
        }
    }

    // ---- life ----

    @Test
    void shouldMakeANewArenaNeitherForScopesNorForMemory() {
        assertEquals(volume.memory().address(), volume.memory().address());
        final MemorySegment before = volume.memory();
        volume.resize(PAGES * 8192);
        assertNotSame(before, volume.memory());
        assertTrue(before.scope().isAlive());
    }

    @Test
    void shouldCloseScopesOnce() {
        final Scope outer = volume.writeScope();
        final Scope inner = volume.writeScope();
        inner.close();
        inner.close();
        assertThrows(StoreBusyException.class, store::commit);
        outer.close();
        outer.close();
        store.commit();
        final Scope read = volume.readScope();
        read.close();
        read.close();
    }
}
