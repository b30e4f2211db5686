package org.kvmdb.telemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.StoreStatistics;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;

class CountersFileTest {

    private static final int COMMITS = 7;

    @TempDir
    Path directory;

    private static Histogram histogram(long... values) {
        final Histogram histogram = new Histogram(2);
        for (long value : values) {
            histogram.recordValue(value);
        }
        return histogram;
    }

    /** Of a page each, at no regular distance, so that nobody reads ahead and each write is a fault. */
    private static long offset(int i) {
        return 4096L * i * (i + 5);
    }

    private Store storeWithCommits() {
        final Store store = Store.create(
                directory, StoreOptions.defaults().withCacheSizeBytes(StoreOptions.CACHE_SIZE_BYTES_MIN));
        final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(1 << 20));
        for (int i = 0; i < COMMITS; i++) {
            volume.memory().set(ValueLayout.JAVA_LONG, offset(i), i + 1);
            store.commit();
        }
        return store;
    }

    private static CountersSnapshot copyOf(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        Files.copy(from.resolve(CountersFile.NAME), to.resolve(CountersFile.NAME));
        return CountersFile.read(to);
    }

    @Test
    void shouldHoldWhatWasPublished() throws IOException {
        try (CountersPublisher publisher = CountersPublisher.create(directory)) {
            publisher.publish(Map.of("a.b", 5L), Map.of("one", histogram(1000, 2000)));
            publisher.publish(Map.of("a.b", 6L, "c", 1L), Map.of("one", histogram(1000), "two", histogram()));
            final CountersSnapshot snapshot = CountersFile.read(directory);
            assertEquals(Map.of("a.b", 6L, "c", 1L), snapshot.counters());
            assertEquals(0, snapshot.counter("d"));
            assertEquals(1, snapshot.latency("one").getTotalCount());
            assertEquals(0, snapshot.latency("two").getTotalCount());
            assertTrue(snapshot.isRunning());
            assertEquals(ProcessHandle.current().pid(), snapshot.process());
        }
        assertTrue(CountersFile.read(directory).isClosed());
        assertFalse(CountersFile.read(directory).isRunning());
    }

    @Test
    void shouldTellWhatAStoreCountsWhileItIsOpenAndAfterwards() throws Exception {
        final StoreStatistics last;
        try (Store store = storeWithCommits()) {
            final long deadline = System.nanoTime() + 20_000_000_000L;
            CountersSnapshot live = CountersFile.read(directory);
            while (live.counter("log.commits") < COMMITS) {
                assertTrue(System.nanoTime() < deadline, "not published: " + live.counters());
                Thread.sleep(20);
                live = CountersFile.read(directory);
            }
            assertTrue(live.isRunning());
            last = store.statistics();
            assertEquals(last.values().keySet(), live.counters().keySet());
        }
        final CountersSnapshot closed = CountersFile.read(directory);
        assertTrue(closed.isClosed());
        assertEquals(last.log().commits(), closed.counter("log.commits"));
        assertEquals(last.cache().writeFaults(), closed.counter("cache.writeFaults"));
        assertEquals(last.latencies().commit().count(), closed.latency("commit").getTotalCount());
        assertEquals(COMMITS, closed.latency("commit").getTotalCount());
        assertTrue(closed.latency("flush").getTotalCount() >= COMMITS);
        assertTrue(closed.latency("writeFault").getTotalCount() >= COMMITS);
        assertTrue(closed.latency("fill").getTotalCount() >= COMMITS);
    }

    @Test
    void shouldStayOutWhenItIsNotWanted() {
        Store.create(directory, StoreOptions.defaults().withCountersFile(false)).close();
        assertThrows(NoSuchFileException.class, () -> CountersFile.read(directory));
    }

    @Test
    void shouldOpenAStoreWhoseCountersFileCannotBeMade() throws IOException {
        storeWithCommits().close();
        Files.delete(directory.resolve(CountersFile.NAME));
        // Not empty, so that it cannot be replaced.
        Files.createDirectories(directory.resolve(CountersFile.NAME).resolve("in the way"));
        try (Store store = Store.open(directory, StoreOptions.defaults())) {
            assertEquals(3, store.volume("v").memory().get(ValueLayout.JAVA_LONG, offset(2)));
        }
    }

    @Test
    void shouldRefuseWhatIsNoCountersFile() throws IOException {
        final Path file = directory.resolve(CountersFile.NAME);
        for (int length : new int[] {0, 1, 4096, CountersFileDescriptor.LENGTH}) {
            Files.write(file, new byte[length]);
            final IOException refusal = assertThrows(IOException.class, () -> CountersFile.read(directory));
            assertTrue(refusal.getMessage().contains("no counters file"), refusal.getMessage());
        }
    }

    /** An enemy wrote it: there is an answer or an exception, whatever it holds. */
    @Test
    void shouldSurviveWhateverTheFileHolds() throws IOException {
        try (Store store = storeWithCommits()) {
            assertEquals(COMMITS, store.statistics().log().commits());
        }
        final Path copy = directory.resolve("copy");
        copyOf(directory, copy);
        final Path file = copy.resolve(CountersFile.NAME);
        final byte[] good = Files.readAllBytes(file);
        final Random random = new Random(1);
        int refused = 0;
        for (int i = 0; i < 3000; i++) {
            final byte[] bad = good.clone();
            final int start = switch (i % 3) {
                case 0 -> CountersFileDescriptor.METADATA_OFFSET + random.nextInt(64 << 10);
                case 1 -> CountersFileDescriptor.histogramOffset(random.nextInt(9)) + random.nextInt(128);
                default -> random.nextInt(64);
            };
            final byte[] noise = new byte[1 + random.nextInt(8)];
            random.nextBytes(noise);
            System.arraycopy(noise, 0, bad, start, noise.length);
            Files.write(file, bad);
            try {
                assertTrue(CountersFile.read(copy).counters().size() <= CountersFileDescriptor.COUNTERS_MAX);
            } catch (IOException e) {
                refused++;
            }
        }
        assertTrue(refused > 100, "refused " + refused);
    }

    /** Many readers beside a publisher that never rests: each distribution is one of those published. */
    @Test
    void shouldNeverShowHalfOfADistribution() throws Exception {
        try (CountersPublisher publisher = CountersPublisher.create(directory)) {
            publisher.publish(Map.of(), Map.of("d", histogram()));
            final Thread writer = Thread.ofPlatform().start(() -> {
                for (int n = 0; !Thread.currentThread().isInterrupted(); n++) {
                    final Histogram histogram = new Histogram(2);
                    // As many values as the first of them says, spread out.
                    for (long i = 0; i <= n % 500; i++) {
                        histogram.recordValueWithCount((n % 500 + 1) << i % 30, 1);
                    }
                    publisher.publish(Map.of(), Map.of("d", histogram));
                }
            });
            try {
                int seen = 0;
                for (int i = 0; i < 2000; i++) {
                    try {
                        final Histogram histogram = CountersFile.read(directory).latency("d");
                        if (histogram.getTotalCount() > 0) {
                            final long size = histogram.getTotalCount();
                            assertEquals(size, histogram.getMinValue(), size / 50.0);
                            seen++;
                        }
                    } catch (IOException e) {
                        assertTrue(e.getMessage().contains("too fast"), e.getMessage());
                    }
                }
                assertTrue(seen > 100, "seen " + seen);
            } finally {
                writer.interrupt();
                writer.join();
            }
        }
    }
}
