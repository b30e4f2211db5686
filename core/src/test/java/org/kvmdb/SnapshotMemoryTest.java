package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Snapshots as memory: read in every way that a volume is, and never written. */
@Timeout(120)
class SnapshotMemoryTest extends SmallStoreTest {

    private static final int PAGES = 100;

    private static void commitPages(Volume volume, int version) {
        TestStores.writePages(volume, 1, 0, PAGES, version);
        volume.commit();
    }

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
                final StoreException e = assertThrows(IllegalUseException.class, scope::close);
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
}
