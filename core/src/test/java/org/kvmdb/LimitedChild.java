package org.kvmdb;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A process that runs {@link LimitedStore}: is asked, limited while it works, and started anew when it died of a limit. */
final class LimitedChild implements AutoCloseable {

    /** Nothing that is asked takes that long, but for many rounds. */
    static final int ANSWER_SECONDS = 60;

    private static final int START_SECONDS = 120;

    private final Path directory;
    private final List<String> before;
    private final List<String> flags;
    private ChildJvm child;
    private int asked;
    private int store;
    private long acknowledged;

    LimitedChild(Path directory, List<String> before, List<String> flags) throws IOException, InterruptedException {
        this.directory = directory;
        this.before = before;
        this.flags = flags;
        start();
    }

    private void start(Object... goOn) throws IOException, InterruptedException {
        final List<Object> arguments = new ArrayList<>(List.of(directory));
        arguments.addAll(List.of(goOn));
        asked = 0;
        child = ChildJvm.start(directory, before, flags, LimitedStore.class, arguments.toArray());
        try {
            child.awaitOutput("ready\n", START_SECONDS);
        } catch (AssertionError e) {
            child.close();
            throw e;
        }
    }

    /** The answer, or null when the process ended instead. */
    String ask(String command, int seconds) throws IOException, InterruptedException {
        child.say(command);
        final String begin = "\n=" + ++asked + " ";
        final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (true) {
            final boolean alive = child.isAlive();
            final String output = child.output();
            final int at = output.indexOf(begin);
            final int end = at < 0 ? -1 : output.indexOf('\n', at + begin.length());
            if (end >= 0) {
                return noted(command, output.substring(at + begin.length(), end));
            }
            if (!alive) {
                return null;
            }
            if (System.nanoTime() > deadline) {
                child.awaitOutput(begin, 0); // throws, with all its threads
            }
            Thread.sleep(1);
        }
    }

    private String noted(String command, String answer) {
        if (command.equals("new")) {
            store = Integer.parseInt(answer);
            acknowledged = 0;
        } else if (answer.startsWith("good ")) {
            acknowledged = Long.parseLong(answer.substring("good ".length()));
        }
        return answer;
    }

    /** After the end of the process: another one goes on with the same store, and demands what was acknowledged until that end. */
    void restart() throws IOException, InterruptedException {
        child.close();
        final long noted = ByteBuffer.wrap(Files.readAllBytes(LimitedStore.noteOf(directory))).getLong();
        start(store, Math.max(acknowledged, noted), acknowledged + LimitedStore.COMMITS_PER_CYCLE);
    }

    /** Ends the process as a limit may. */
    void kill() {
        child.kill();
    }

    String output() {
        return child.output();
    }

    /** Sets the soft limit of a resource, as {@code prlimit} names it. Returns what it was. */
    String limit(String resource, Object value) throws IOException, InterruptedException {
        final String was = prlimit("--" + resource, "-o", "SOFT", "--noheadings");
        prlimit("--%s=%s:".formatted(resource, value));
        return was;
    }

    private String prlimit(String... options) throws IOException, InterruptedException {
        final List<String> command = new ArrayList<>(List.of("prlimit", "--pid", Long.toString(child.pid())));
        command.addAll(List.of(options));
        final Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        final String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (process.waitFor() != 0 && child.isAlive()) {
            throw new IOException(command + ": " + said);
        }
        return said;
    }

    @Override
    public void close() {
        child.close();
    }
}
