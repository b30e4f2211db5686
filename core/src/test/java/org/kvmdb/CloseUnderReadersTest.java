package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.Pipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.control.ControlClient;

/** Closing takes memory from under running threads: they see exceptions, never a crash; and nothing is left behind. */
@Timeout(180)
class CloseUnderReadersTest {

    private static final int CYCLES = 200;
    private static final int PAGES = 512;

    @TempDir
    Path directory;

    private Path makeStore(String name) {
        final Path path = directory.resolve(name);
        try (Store store = Store.create(path, TestStores.small())) {
            final Volume a = store.createVolume("a", VolumeOptions.ofSizeBytes(PAGES * 4096));
            final Volume b = store.createVolume("b", VolumeOptions.ofSizeBytes(PAGES * 16384).withPageSizeBytes(16384));
            TestStores.writePages(a, 1, 0, PAGES, 1);
            TestStores.writePages(b, 2, 0, PAGES / 4, 1);
            store.commit();
        }
        return path;
    }

    private interface Use {
        void of(Store store, Volume volume, Random random) throws Exception;
    }

    private static final List<Use> USES = List.of(
            (store, volume, random) -> {
                final MemorySegment memory = volume.memory();
                for (int i = 0; i < 100; i++) {
                    final long lpn = random.nextInt(PAGES / 4);
                    PageContent.version(
                            TestStores.page(memory, lpn, volume.pageSizeBytes()), volume.pageSizeBytes() == 4096 ? 1 : 2, lpn);
                }
            },
            (store, volume, random) -> {
                final MemorySegment memory = volume.memory();
                for (int i = 0; i < 100; i++) {
                    memory.set(ValueLayout.JAVA_LONG, (random.nextInt(PAGES) / 4 * 4 + 3) * 4096L + 8, i);
                }
            },
            (store, volume, random) -> {
                try (Scope _ = volume.writeScope()) {
                    volume.memory().set(ValueLayout.JAVA_LONG, random.nextInt(PAGES) * 4096L + 16, 1);
                }
                store.commit();
            },
            (store, volume, random) -> {
                final MemorySegment memory = volume.memory();
                final long stride = 1 + random.nextInt(3);
                for (long lpn = 0; lpn < memory.byteSize() / volume.pageSizeBytes(); lpn += stride) {
                    memory.get(ValueLayout.JAVA_BYTE, lpn * volume.pageSizeBytes());
                }
            },
            (store, volume, random) -> volume.read(0, MemorySegment.ofArray(new byte[PAGES * 2048])),
            (store, volume, random) -> {
                volume.load(0, PAGES * 4096);
                volume.prefetch(0, PAGES * 4096);
                store.statistics();
            },
            (store, volume, random) -> {
                try (Pin _ = volume.pin(random.nextInt(PAGES) * 4096L, 4096, PinMode.READ);
                        Scope _ = volume.readScope()) {
                    store.volumes().forEach(Volume::badPageCount);
                }
                volume.rollback();
            });

    /** Uses the store until it is closed; whatever else than that is a failure. */
    private static void useUntilClosed(Store store, Use use, long seed, CountDownLatch started) {
        final Random random = new Random(seed);
        boolean first = true;
        try {
            while (true) {
                use.of(store, store.volume(random.nextBoolean() ? "a" : "b"), random);
                if (first) {
                    started.countDown();
                    first = false;
                }
            }
        } catch (StoreClosedException e) {
            // as it should
        } catch (IllegalStateException e) {
            assertTrue(e.getMessage().contains("closed"), e.toString());
        } catch (Exception e) {
            fail(e);
        }
    }

    @Test
    void shouldThrowAndNotCrashWhenClosedUnderRunningThreads() throws Exception {
        final Path path = makeStore("s");
        final Random random = new Random(11);
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            for (int cycle = 0; cycle < CYCLES; cycle++) {
                final Store store = Store.open(path, TestStores.small());
                final CountDownLatch started = new CountDownLatch(2);
                final List<Future<?>> users = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    final Use use = USES.get((cycle + i) % USES.size());
                    final long seed = cycle * 10L + i;
                    users.add(threads.submit(() -> useUntilClosed(store, use, seed, started)));
                }
                assertTrue(started.await(20, TimeUnit.SECONDS), "cycle " + cycle);
                Thread.sleep(random.nextInt(5));
                closeUntilClosed(store);
                for (Future<?> user : users) {
                    user.get(20, TimeUnit.SECONDS);
                }
            }
        }
    }

    /** A native call on the memory, like a bulk copy in flight, keeps a store open: then it says so, and is closed again. */
    private static void closeUntilClosed(Store store) throws InterruptedException {
        for (int tries = 1; ; tries++) {
            try {
                store.close();
                return;
            } catch (StoreBusyException e) {
                if (tries == 1000) {
                    throw e;
                }
                Thread.sleep(1);
            }
        }
    }

    @Test
    void shouldStayOpenWhenANativeCallUsesTheMemory() throws Exception {
        final Store store = Store.open(makeStore("s"), TestStores.small());
        final Volume volume = store.volume("a");
        final Pipe pipe = Pipe.open();
        volume.load(0, PAGES * 4096);
        // More than the pipe holds: the call stays in the kernel, and holds the memory, until somebody reads.
        final Thread writer = new Thread(() -> {
            try {
                pipe.sink().write(volume.memory().asByteBuffer());
            } catch (IOException e) {
                // The reader went away: that is how the test ends it.
            }
        });
        writer.start();
        TestStores.await("the pipe is full", () -> writer.getState() == Thread.State.RUNNABLE && isInWrite(writer));
        assertThrows(StoreBusyException.class, store::close);
        // All is as before.
        TestStores.checkPages(store.volume("b"), 2, 0, PAGES / 4, 1);
        TestStores.checkPages(volume, 1, 0, PAGES, 1);
        volume.memory().set(ValueLayout.JAVA_LONG, 0, 7);
        store.commit();
        assertTrue(ControlClient.ask(store.path(), "info", List.of(), null).facts().has("fileBytes"));
        pipe.source().close();
        writer.join();
        store.close();
    }

    private static boolean isInWrite(Thread thread) {
        return Arrays.stream(thread.getStackTrace()).anyMatch(frame -> frame.getMethodName().equals("write0"));
    }

    @Test
    void shouldServeSeveralStoresAtOnce() throws Exception {
        final List<Path> paths = List.of(makeStore("s"), makeStore("t"), makeStore("u"));
        final List<Store> stores = new ArrayList<>();
        for (Path path : paths) {
            stores.add(Store.open(path, TestStores.small()));
        }
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            final List<Future<?>> users = new ArrayList<>();
            for (Store store : stores) {
                users.add(threads.submit(() -> {
                    for (int round = 0; round < 20; round++) {
                        TestStores.checkPages(store.volume("a"), 1, 1, PAGES, 1);
                        TestStores.checkPages(store.volume("b"), 2, 0, PAGES / 4, 1);
                        PageContent.write(TestStores.page(store.volume("a"), 0), 1, 0, round + 2);
                        store.commit();
                    }
                }));
            }
            // One is closed while the others are at work.
            users.getFirst().get(60, TimeUnit.SECONDS);
            stores.getFirst().close();
            for (Future<?> user : users) {
                user.get(60, TimeUnit.SECONDS);
            }
        } finally {
            stores.forEach(Store::close);
        }
    }

    @Test
    void shouldLeaveNoDescriptorsThreadsOrMappingsBehind() throws Exception {
        final Path path = makeStore("s");
        useOnce(path);
        final long files = entries("/proc/self/fd");
        final long threads = kvmdbThreads();
        final long mappings = Files.lines(Path.of("/proc/self/maps")).count();
        for (int cycle = 0; cycle < 100; cycle++) {
            useOnce(path);
        }
        TestStores.await("threads end", () -> kvmdbThreads() <= threads);
        assertTrue(entries("/proc/self/fd") <= files + 2, () -> "descriptors: " + files + " before");
        final long mappingsNow = Files.lines(Path.of("/proc/self/maps")).count();
        assertTrue(mappingsNow <= mappings + 60, () -> "mappings: %d before, %d now".formatted(mappings, mappingsNow));
    }

    private static void useOnce(Path path) {
        try (Store store = Store.open(path, TestStores.small())) {
            PageContent.version(TestStores.page(store.volume("a"), 5), 1, 5);
            PageContent.version(TestStores.page(store.volume("b"), 5), 2, 5);
            store.volume("a").memory().set(ValueLayout.JAVA_LONG, 8, 5);
            store.commit();
        }
    }

    private static long entries(String directory) {
        try (var entries = Files.list(Path.of(directory))) {
            return entries.count();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static long kvmdbThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("kvmdb"))
                .count();
    }

    @Test
    void shouldRefuseADeletedVolumeThatWasNeverMapped() {
        try (Store store = Store.open(makeStore("s"), TestStores.small())) {
            final Volume volume = store.volume("a");
            store.deleteVolume("a");
            assertThrows(StoreClosedException.class, volume::memory);
            assertThrows(StoreException.class, volume::commit);
            assertThrows(StoreException.class, () -> volume.load(0, 1));
            assertEquals(1, store.volumes().size());
        }
    }
}
