package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;
import org.kvmdb.telemetry.CountersFile;
import org.kvmdb.telemetry.CountersPublisher;
import org.kvmdb.telemetry.CountersSnapshot;

/** {@code kvmdb stats} and {@code kvmdb top}. */
class CountersCommandsTest {

    private static final int COMMITS = 9;
    private static final Pattern SAMPLE =
            Pattern.compile("([a-z_:][a-z0-9_:]*)\\{store=\"[^\"]*\"(,quantile=\"0\\.\\d+\")?} -?[0-9.E-]+");

    @TempDir
    private Path directory;

    private static CommandRun succeed(Object... arguments) {
        CommandRun run = CommandRun.of(arguments);
        assertEquals(0, run.exitCode(), run.err());
        return run;
    }

    private Store store() {
        Store store = Store.create(
                directory, StoreOptions.defaults().withCacheSizeBytes(StoreOptions.CACHE_SIZE_BYTES_MIN));
        store.createVolume("v", VolumeOptions.ofSizeBytes(1 << 20));
        commit(store, COMMITS);
        return store;
    }

    private static void commit(Store store, int times) {
        Volume volume = store.volume("v");
        for (int i = 0; i < times; i++) {
            volume.memory().set(ValueLayout.JAVA_LONG, 0, System.nanoTime());
            store.commit();
        }
    }

    @SuppressWarnings("unchecked")
    private static long number(Map<String, Object> json, String group, String name) {
        return ((Number) ((Map<String, Object>) json.get(group)).get(name)).longValue();
    }

    @Test
    void shouldTellWhatAStoreCountedWhenItIsClosed() throws IOException {
        store().close();
        Map<String, Object> json = succeed("stats", directory, "--json").json();
        assertEquals("closed", json.get("state"));
        assertEquals(COMMITS, number(json, "log", "commits"));
        assertTrue(((Map<?, ?>) json.get("latencies")).containsKey("flush"), json.toString());
        String text = succeed("stats", directory).out();
        assertTrue(text.contains("closed by process " + ProcessHandle.current().pid()), text);
        assertTrue(text.contains("first writes") || text.contains("first write faults"), text);
        assertTrue(text.lines().anyMatch(line -> line.startsWith("  commit ") && line.endsWith("s")), text);
    }

    @Test
    void shouldTellWhatAStoreCountsWhileItIsOpen() throws IOException {
        try (Store store = store()) {
            String text = succeed("stats", directory).out();
            assertTrue(text.contains("open in process " + ProcessHandle.current().pid()), text);
            assertEquals("open", succeed("stats", directory, "--json").json().get("state"));
            commit(store, 1);
        }
    }

    @Test
    void shouldTellWhenTheProcessIsGone() throws IOException, InterruptedException {
        store().close();
        Process gone = new ProcessBuilder("true").start();
        gone.waitFor();
        CountersSnapshot snapshot = CountersFile.read(directory);
        CountersSnapshot died = new CountersSnapshot(
                gone.pid(), snapshot.started(), snapshot.published(), false, snapshot.counters(), snapshot.latencies());
        assertTrue(StoreCounters.state(died).contains("not closed: process " + gone.pid() + " is gone"));
        assertEquals("died", StoreCounters.facts(directory, died).asMap().get("state"));
    }

    @Test
    void shouldPrintWhatPrometheusReads() {
        store().close();
        String text = succeed("stats", directory, "--prometheus").out();
        Set<String> typed = new HashSet<>();
        Set<String> helped = new HashSet<>();
        for (String line : text.lines().toList()) {
            if (line.startsWith("# TYPE ")) {
                String name = line.split(" ")[2];
                assertTrue(typed.add(name), "typed twice: " + line);
                assertTrue(helped.contains(name), "without a help: " + line);
                continue;
            }
            if (line.startsWith("# HELP ")) {
                assertTrue(helped.add(line.split(" ")[2]) && line.endsWith("."), line);
                continue;
            }
            Matcher sample = SAMPLE.matcher(line);
            assertTrue(sample.matches(), line);
            String name = sample.group(1);
            assertTrue(typed.contains(name) || typed.contains(name.replaceFirst("_(sum|count)$", "")), line);
        }
        assertTrue(text.contains("kvmdb_log_commits_total{store=\"" + directory + "\"} " + COMMITS), text);
        assertTrue(text.contains("kvmdb_commit_seconds_count{store=\"" + directory + "\"} " + COMMITS), text);
        assertTrue(text.contains("# TYPE kvmdb_cache_dirty_bytes gauge"), text);
        assertTrue(text.contains("# TYPE kvmdb_cache_tier_bytes gauge"), text);
        assertTrue(text.contains("# TYPE kvmdb_cache_tier_blocks gauge"), text);
        assertTrue(text.contains("# TYPE kvmdb_cache_tier_hits_total counter"), text);
        assertTrue(text.contains("# TYPE kvmdb_commit_seconds summary"), text);
        assertTrue(text.contains("# TYPE kvmdb_cleaning_waited_seconds_total counter"), text);
        assertTrue(text.contains("kvmdb_up{store=\"" + directory + "\"} 0"), text);
    }

    /** One that is new is to be described, and not to be taken for a counter when it is none. */
    @Test
    void shouldKnowEveryCounterOfAStoreAndNoOthers() throws IOException {
        store().close();
        CountersSnapshot snapshot = CountersFile.read(directory);
        Set<String> counted = new HashSet<>(snapshot.latencies().keySet());
        snapshot.counters().keySet().stream()
                .filter(name -> !name.startsWith("latencies."))
                .forEach(counted::add);
        assertEquals(counted, Metrics.names());
    }

    @Test
    void shouldShowTheRatesOfAnInterval() throws IOException {
        try (CountersPublisher publisher = CountersPublisher.create(directory)) {
            publisher.publish(
                    Map.of("cache.readFaults", 1000L, "cache.budgetBytes", 1024L, "cache.residentBytes", 0L),
                    Map.of("readFault", histogram(10, 1_000)));
            CountersSnapshot before = at(CountersFile.read(directory), 0);
            publisher.publish(
                    Map.of("cache.readFaults", 4000L, "cache.residentBytes", 512L),
                    Map.of("readFault", plus(histogram(10, 1_000), histogram(3000, 8_000))));
            String frame = new TopFrame(directory, before, at(CountersFile.read(directory), 2000)).text();
            assertTrue(frame.contains("read 1,500/s"), frame);
            assertTrue(frame.contains("[" + "#".repeat(20) + "-".repeat(20) + "] 512 B of 1 KiB"), frame);
            String latency = frame.lines().filter(line -> line.contains("read fault")).findFirst().orElseThrow();
            assertTrue(latency.contains("3,000") && latency.contains("8.0") && !latency.contains("1 µs"), latency);
        }
    }

    private static Histogram histogram(long count, long value) {
        Histogram histogram = new Histogram(2);
        histogram.recordValueWithCount(value, count);
        return histogram;
    }

    private static Histogram plus(Histogram one, Histogram other) {
        one.add(other);
        return one;
    }

    private static CountersSnapshot at(CountersSnapshot snapshot, long millis) {
        return new CountersSnapshot(
                snapshot.process(), snapshot.started(), snapshot.started().plusMillis(millis), snapshot.isClosed(),
                snapshot.counters(), snapshot.latencies());
    }

    @Test
    void shouldWatchAStoreUntilItHasSeenEnough() {
        try (Store store = store()) {
            String frames = succeed("top", directory, "--interval", "0.3", "--count", "2").out();
            assertEquals(2, frames.lines().filter(line -> line.startsWith("faults ")).count(), frames);
            commit(store, 1);
        }
    }

    @Test
    void shouldEndWhenTheStoreIsClosed() {
        store().close();
        String text = succeed("top", directory).out();
        assertTrue(text.contains("closed by process"), text);
        assertFalse(text.contains("faults "), text);
    }

    @Test
    void shouldSayWhatIsMissingWhenThereAreNoCounters() {
        CommandRun none = CommandRun.of("stats", directory);
        assertEquals(1, none.exitCode());
        assertTrue(none.isOneSentence() && none.err().contains("no counters in"), none.err());
        CommandRun nowhere = CommandRun.of("top", directory.resolve("nowhere"));
        assertTrue(nowhere.isOneSentence() && nowhere.err().contains("no directory"), nowhere.err());
    }

    @Test
    @Timeout(20)
    void shouldEndTopWhenNobodyReadsItAnyMore() {
        try (Store store = store()) {
            OutputStream gone = new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                    throw new IOException("Broken pipe");
                }
            };
            StringWriter err = new StringWriter();
            String[] words = {"top", store.path().toString(), "--interval", "0.25"};
            assertEquals(141, Main.run(new StandardOutput(gone), new PrintWriter(err), words), err.toString());
            assertEquals("", err.toString());
        }
    }
}
