package org.kvmdb.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;

/** Operations on a store that an application works with. */
@Timeout(120)
class OperationsTest {

    private static final int PAGES = 512;
    private static final int PAGE = 4096;

    @TempDir
    private Path directory;

    private Path path() {
        return directory.resolve("store");
    }

    private Store create() {
        return Store.create(
                path(),
                StoreOptions.defaults()
                        .withCacheSizeBytes(StoreOptions.CACHE_SIZE_BYTES_MIN)
                        .withSegmentSizeBytes(256 << 10));
    }

    private Reply ask(String operation, String... arguments) {
        return ControlClient.ask(path(), operation, List.of(arguments), (done, total, unit) -> {});
    }

    /** Every operation has its line in the documentation, and every line its operation. */
    @Test
    void shouldBeThoseOfTheDocumentation() throws IOException {
        final String document = Files.readString(Path.of("../docs/control-socket.md"));
        final String text = document.split("\n## (Operations|Errors)\n")[1];
        final Set<String> documented = new TreeSet<>();
        Pattern.compile("^\\| `([a-zA-Z.]+)[ `]", Pattern.MULTILINE)
                .matcher(text)
                .results()
                .forEach(match -> documented.add(match.group(1)));
        assertEquals(new TreeSet<>(Operations.names()), documented);
    }

    @Test
    void shouldBearWhatTheDocumentationSays() throws IOException {
        final String text = Files.readString(Path.of("../docs/control-socket.md")).replaceAll("\\s+", " ");
        final Limits limits = Limits.defaults();
        for (String claim : List.of(
                "At most %d connections".formatted(limits.connectionsMax()),
                "%d connections are open: try again".formatted(limits.connectionsMax()),
                "must arrive within %d seconds".formatted(limits.requestDeadline().toSeconds()),
                "reads nothing for %d seconds".formatted(limits.writeDeadline().toSeconds()),
                "no news for %d seconds".formatted(limits.alivePeriod().toSeconds()),
                "gives up after %d seconds".formatted(ControlClient.SILENCE_MAX.toSeconds()),
                "%d KiB of it wait in memory".formatted(Connection.QUEUED_BYTES_MAX >> 10),
                "A request has at most %d bytes".formatted(Protocol.REQUEST_BYTES_MAX),
                "each of at most %d bytes".formatted(Protocol.ANSWER_LINE_BYTES_MAX))) {
            assertTrue(text.contains(claim), claim);
        }
        assertTrue(limits.alivePeriod().multipliedBy(3).compareTo(ControlClient.SILENCE_MAX) < 0);
    }

    @Test
    void shouldTellTheSameThroughTheSocketAndHere() {
        try (Store store = create()) {
            store.createVolume("a", VolumeOptions.ofSizeBytes(1 << 20));
            store.createVolume("b", VolumeOptions.ofSizeBytes(1 << 30).withPageSizeBytes(65536));
            store.commit();
            for (String operation : List.of("info", "volume.list", "statistics")) {
                final Reply here = new Reply((done, total, unit) -> {});
                Operations.run(store, operation, List.of(), here);
                final Reply there = ask(operation);
                assertEquals(here.facts().asMap().keySet(), there.facts().asMap().keySet());
                assertEquals(
                        here.rows("volumes").stream().map(Values::asMap).toList(),
                        there.rows("volumes").stream().map(Values::asMap).toList());
            }
            final Map<String, String> statistics = ask("statistics").facts().asMap();
            assertEquals(Long.toString(StoreOptions.CACHE_SIZE_BYTES_MIN), statistics.get("cache.budgetBytes"));
            assertEquals("0", statistics.get("latencies.readFault.count"));
        }
    }

    @Test
    void shouldNotDisturbWritersWhenVolumesComeAndGo() throws Exception {
        final AtomicBoolean done = new AtomicBoolean();
        try (Store store = create();
                ExecutorService threads = Executors.newCachedThreadPool()) {
            final Volume volume = store.createVolume("written", VolumeOptions.ofSizeBytes((long) PAGES * PAGE));
            final AtomicLong rounds = new AtomicLong();
            final Future<?> writer = threads.submit(() -> write(store, volume, done, rounds));
            final List<Future<?>> clients = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                final String name = "v" + i;
                clients.add(threads.submit(comeAndGo(name)));
            }
            try {
                for (Future<?> client : clients) {
                    client.get();
                }
            } finally {
                done.set(true);
            }
            writer.get();
            assertTrue(rounds.get() > 0);
            assertEquals(1, store.volumes().size());
        }
        try (Store store = Store.open(path(), StoreOptions.defaults())) {
            final MemorySegment memory = store.volume("written").memory();
            final long version = memory.get(ValueLayout.JAVA_LONG, 0);
            for (int lpn = 0; lpn < PAGES; lpn++) {
                assertEquals(version + lpn, memory.get(ValueLayout.JAVA_LONG, (long) lpn * PAGE));
            }
        }
    }

    private static void write(Store store, Volume volume, AtomicBoolean done, AtomicLong rounds) {
        final MemorySegment memory = volume.memory();
        do {
            final long version = rounds.incrementAndGet();
            for (int lpn = 0; lpn < PAGES; lpn++) {
                memory.set(ValueLayout.JAVA_LONG, (long) lpn * PAGE, version + lpn);
            }
            store.commit();
        } while (!done.get());
    }

    private Callable<Void> comeAndGo(String name) {
        return () -> {
            for (int i = 0; i < 40; i++) {
                ask("volume.create", name, "1048576", "4096");
                ask("volume.resize", name, "8192", "false");
                assertTrue(ask("volume.list").rows("volumes").size() >= 2);
                assertTrue(ask("info").facts().number("liveBytes") >= 0);
                ask("statistics");
                if (i % 10 == 0) {
                    ask("checkpoint");
                }
                ask("snapshot.create", "s-" + name, name, "written");
                assertEquals(1, ask("snapshot.listOf", name).rows("snapshots").size());
                ask("snapshot.clone", "written@s-" + name, name + "-clone");
                ask("volume.delete", name + "-clone", "false");
                ask("snapshot.delete", i % 2 == 0 ? "true" : "false", "written@s-" + name, name + "@s-" + name);
                ask("volume.delete", name, "false");
            }
            return null;
        };
    }

    /** Whatever is under way when a store is closed, closing it returns, and each client is told something sensible. */
    @Test
    void shouldNotKeepAStoreFromClosing() throws Exception {
        create().close();
        final Set<String> sensible = Set.of("CLOSING", "INTERRUPTED", "LOST", "STORE_CLOSED", "UNREACHABLE");
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            for (int cycle = 0; cycle < 15; cycle++) {
                final Store store = Store.open(path(), StoreOptions.defaults());
                final AtomicLong answers = new AtomicLong();
                final List<Future<String>> clients = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    clients.add(threads.submit(() -> askUntilRefused(answers)));
                }
                while (answers.get() < 10) {
                    Thread.onSpinWait();
                }
                store.close();
                for (Future<String> client : clients) {
                    assertTrue(sensible.contains(client.get()), client.get());
                }
            }
        }
        try (var entries = Files.list(path())) {
            assertEquals(
                    List.of("counters", "store.kvmdb"),
                    entries.map(entry -> entry.getFileName().toString()).sorted().toList());
        }
    }

    private String askUntilRefused(AtomicLong answers) {
        while (true) {
            try {
                ask("checkpoint");
                ask("statistics");
                answers.incrementAndGet();
            } catch (ControlException e) {
                return e.code();
            }
        }
    }
}
