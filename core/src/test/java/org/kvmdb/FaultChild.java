package org.kvmdb;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A process that runs fault cases, one after the other, as it is told to: a thread that hangs in a page fault keeps its whole
 * virtual machine from a safepoint, so only another process can notice.
 */
final class FaultChild implements AutoCloseable {

    /** What a case came to. */
    record Outcome(long seen, long hits, long readsServed, List<String> findings) {}

    private static final String DONE = "done";
    private static final String FINDING = "finding";
    private static final String LINE_BREAK = " / ";

    private final Process process;
    private final Path log;
    private final PrintStream commands;
    private final LinkedBlockingQueue<String> lines = new LinkedBlockingQueue<>();

    /** @param directory for its stores; it is its own */
    FaultChild(Path directory, long seed) throws IOException {
        log = directory.resolveSibling(directory.getFileName() + ".log");
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-Xmx256m",
                        "-XX:-CreateCoredumpOnCrash",
                        "-XX:ErrorFile=" + log + ".hs_err",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        FaultChild.class.getName(),
                        directory.toString(),
                        Long.toString(seed))
                .redirectError(log.toFile())
                .start();
        commands = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
        Thread.ofPlatform().daemon().start(this::readLines);
    }

    private void readLines() {
        try (BufferedReader reader = process.inputReader()) {
            reader.lines().forEach(lines::add);
        } catch (IOException | RuntimeException e) {
            lines.add("lost: " + e);
        }
    }

    /** Runs a case; null when it hangs or the process has died, and {@link #lastWords} says which. */
    Outcome run(FaultKind kind, long index, boolean persistent, int secondsMax) throws InterruptedException {
        commands.printf("%s %d %s%n", kind, index, persistent);
        final List<String> findings = new ArrayList<>();
        while (true) {
            final String line = lines.poll(secondsMax, TimeUnit.SECONDS);
            if (line == null) {
                return null;
            }
            final String[] words = line.split(" ", 2);
            if (words[0].equals(FINDING)) {
                findings.add(words[1]);
            } else if (words[0].equals(DONE)) {
                final String[] numbers = words[1].split(" ");
                return new Outcome(
                        Long.parseLong(numbers[0]), Long.parseLong(numbers[1]), Long.parseLong(numbers[2]), findings);
            } else {
                return null;
            }
        }
    }

    /** Why there was no outcome. */
    String lastWords() throws InterruptedException {
        final boolean ended = process.waitFor(1, TimeUnit.SECONDS);
        return ended ? "the process ended with %d; see %s".formatted(process.exitValue(), log) : "it hangs";
    }

    @Override
    public void close() {
        process.destroyForcibly();
        process.onExit().join();
    }

    // ---- in the child ----

    public static void main(String[] arguments) throws IOException {
        final PrintStream out = System.out;
        final Path directory = Path.of(arguments[0]);
        final long seed = Long.parseLong(arguments[1]);
        final Path template = directory.resolve("template");
        final FaultScript.State begin;
        try (Store store = Store.create(template, FaultCase.options())) {
            begin = FaultScript.populate(store);
        }
        final BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String command; (command = commands.readLine()) != null; ) {
            final String[] words = command.split(" ");
            final FaultCase fault = new FaultCase(template, begin, directory.resolve("case"), seed);
            try {
                run(fault, FaultKind.valueOf(words[0]), Long.parseLong(words[1]), Boolean.parseBoolean(words[2]));
            } catch (RuntimeException | Error e) {
                out.println(FINDING + " threw " + e + List.of(e.getStackTrace()));
                throw e;
            }
            for (String finding : fault.findings()) {
                out.println(FINDING + " " + finding.replace("\n", LINE_BREAK));
            }
            out.printf("%s %d %d %d%n", DONE, fault.seen(), fault.hits(), fault.readsServed());
        }
    }

    private static void run(FaultCase fault, FaultKind kind, long index, boolean persistent) {
        if (kind.place() == FaultKind.Place.OPENING) {
            fault.runOpening(kind, index, persistent, true);
            fault.runOpening(kind, index, persistent, false);
        } else {
            fault.runInUse(kind, index, persistent);
        }
    }
}
