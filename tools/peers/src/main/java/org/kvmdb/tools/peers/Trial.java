package org.kvmdb.tools.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.kvmdb.tools.ChildJvm;
import org.kvmdb.tools.CommandFailedException;
import org.kvmdb.tools.Sizes;

/** One system, one work, one round, as the parent arranges it. */
final class Trial {

    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final Duration POLL = Duration.ofMillis(10);
    private static final Duration SETTLING = Duration.ofMillis(200);

    private final Settings settings;
    private final Optional<MemoryLimit> limit;
    private final Results results;
    private final Work work;
    private final PeerSystem system;
    private final int round;
    private final List<String> said = new ArrayList<>();

    Trial(
            Settings settings,
            Optional<MemoryLimit> limit,
            Results results,
            Work work,
            PeerSystem system,
            int round) {
        this.settings = settings;
        this.limit = limit;
        this.results = results;
        this.work = work;
        this.system = system;
        this.round = round;
    }

    Settings settings() {
        return settings;
    }

    PeerSystem system() {
        return system;
    }

    void answer(Case measured, double value) {
        take(measured.name(), value);
    }

    /** What came out so far, in a line. */
    String said() {
        return String.join(", ", said);
    }

    private void take(String measured, double value) {
        results.add(measured, system, round, value);
        said.add(measured + " " + Sizes.significant(value));
    }

    Path emptyDirectory(String name) throws IOException {
        return FileTrees.fresh(settings.directory().resolve(system.owner() + "-" + name));
    }

    /** The data that are larger than memory: made once, as a whole or not at all, and only read from then on. */
    Path largeData() throws IOException, InterruptedException {
        String name = system.owner() + "-large";
        Path directory = settings.directory().resolve(name);
        if (!Files.exists(directory)) {
            Path unfinished = FileTrees.fresh(directory.resolveSibling(name + "-unfinished"));
            makeData(unfinished, settings.largePages());
            Files.move(unfinished, directory);
        }
        return directory;
    }

    /** Data that are made anew, since they will be written to. */
    Path data(String name, long pages) throws IOException, InterruptedException {
        Path directory = emptyDirectory(name);
        makeData(directory, pages);
        return directory;
    }

    /** Without a limit, since nobody looks at the clock. */
    private void makeData(Path directory, long pages) throws IOException, InterruptedException {
        child(Child.LOAD, system.owner(), directory, pages, Optional.empty(), List.of());
    }

    /** Runs a child with nothing in the page cache, under the limit, and takes its answers. */
    void run(String stage, Path directory, long pages, String... flags) throws IOException, InterruptedException {
        LibC.dropCaches(directory);
        child(stage, system, directory, pages, limit, List.of(flags));
    }

    /** Runs a child on data that fit into the cache of each system, made anew. */
    void runOnSmallData(String stage) throws IOException, InterruptedException {
        long pages = settings.smallPages();
        run(stage, data("small", pages), pages);
    }

    /** Runs a child until it has made that file, and a moment longer, and kills it. */
    void kill(String stage, Path directory, long pages, Path ready) throws IOException, InterruptedException {
        try (Running running = start(stage, system, directory, pages, limit, List.of())) {
            long deadlineNanos = System.nanoTime() + PATIENCE.toNanos();
            while (running.child.isAlive() && !Files.exists(ready) && System.nanoTime() < deadlineNanos) {
                Thread.sleep(POLL);
            }
            Thread.sleep(SETTLING);
            if (!Files.exists(ready) || running.child.kill() != ChildJvm.KILLED) {
                throw new CommandFailedException("it ended by itself: " + running.child.lastWords());
            }
        }
    }

    private record Running(ChildJvm child, Path output, MemoryLimit.Held held) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            child.close();
            if (held != null) {
                held.close();
            }
        }
    }

    private void child(
            String stage,
            PeerSystem by,
            Path directory,
            long pages,
            Optional<MemoryLimit> under,
            List<String> flags)
            throws IOException, InterruptedException {
        try (Running running = start(stage, by, directory, pages, under, flags)) {
            long deadlineNanos = System.nanoTime() + PATIENCE.toNanos();
            while (running.child.isAlive() && System.nanoTime() < deadlineNanos) {
                Thread.sleep(POLL);
            }
            if (running.child.isAlive()) {
                throw new CommandFailedException("it was not done after " + PATIENCE.toMinutes() + " minutes");
            }
            int code = running.child.waitFor();
            takeAnswers(running.output);
            if (code == ChildJvm.KILLED) {
                throw new CommandFailedException("it was killed, as the kernel does beyond the limit of memory");
            }
            if (code != 0) {
                throw new CommandFailedException(running.child.lastWords());
            }
        }
    }

    private Running start(
            String stage,
            PeerSystem by,
            Path directory,
            long pages,
            Optional<MemoryLimit> under,
            List<String> flags)
            throws IOException {
        ChildContext context = new ChildContext(
                by,
                directory,
                settings.corpus(),
                pages,
                settings.limitBytes(),
                settings.seconds(),
                settings.compression(),
                ProcessHandle.current().pid());
        List<String> arguments = new ArrayList<>(List.of(work.name(), stage));
        arguments.addAll(context.arguments());
        Path output = settings.directory().resolve("child.log");
        String name = ProcessHandle.current().pid() + "-" + by;
        MemoryLimit.Held held = under.isPresent() ? under.get().hold(name, settings.limitBytes()) : null;
        ChildJvm child = ChildJvm.start(
                output,
                launcher(held),
                flagsOf(by, flags),
                System.getProperty("java.class.path"),
                Child.class,
                arguments);
        return new Running(child, output, held);
    }

    /**
     * The C library may have two arenas: with its default of eight for each processor, RocksDB's 4 KiB blocks, which one thread
     * allocates and another frees, grow to the whole limit within seconds, whatever the size of its cache is.
     */
    private static List<String> launcher(MemoryLimit.Held held) {
        List<String> launcher = new ArrayList<>(held == null ? List.of() : held.launcher());
        launcher.addAll(List.of("env", "MALLOC_ARENA_MAX=2"));
        return launcher;
    }

    private List<String> flagsOf(PeerSystem by, List<String> more) {
        List<String> flags = new ArrayList<>(List.of(
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-Xmx" + by.heapBytes(settings.limitBytes()),
                "-Djava.io.tmpdir=" + settings.directory()));
        flags.addAll(by.flags());
        flags.addAll(more);
        return flags;
    }

    private void takeAnswers(Path output) throws IOException {
        for (String line : Files.readAllLines(output)) {
            if (line.startsWith(ChildContext.ANSWER)) {
                String[] words = line.substring(ChildContext.ANSWER.length()).split(" ");
                take(words[0], Double.parseDouble(words[1]));
            }
        }
    }
}
