package org.kvmdb.tools;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * This program again in a process of its own, to be killed. What it prints goes to a file. It is killed when this
 * process ends in an orderly way; a child looks after the other ways itself, see {@link #exitWithParent}.
 */
public final class ChildJvm implements AutoCloseable {

    /** What a shell would report for a process killed by SIGKILL. */
    public static final int KILLED = 128 + 9;

    /** Where native libraries are unpacked: what will do here will do for a child. */
    private static final String TEMPORARY = "java.io.tmpdir";

    private static final int ORPHANED = 3;
    private static final long DUMP_NANOS_MAX = TimeUnit.SECONDS.toNanos(10);
    private static final int DUMP_POLL_MILLIS = 100;

    private final Process process;
    private final Path output;
    private final Thread hook;

    private ChildJvm(Process process, Path output) {
        this.process = process;
        this.output = output;
        this.hook = new Thread(process::destroyForcibly, "kill-child");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    public static ChildJvm start(Path output, List<String> arguments) throws IOException {
        return start(output, List.of(), System.getProperty("java.class.path"), Main.class, arguments);
    }

    /** Another program of this class path. */
    public static ChildJvm start(
            Path output, List<String> flags, String classPath, Class<?> main, List<String> arguments)
            throws IOException {
        return start(output, List.of(), flags, classPath, main, arguments);
    }

    /**
     * The same, started by another command.
     *
     * @param launcher what stands before it on the command line, and becomes it: the process stays the same
     */
    public static ChildJvm start(
            Path output,
            List<String> launcher,
            List<String> flags,
            String classPath,
            Class<?> main,
            List<String> arguments)
            throws IOException {
        List<String> command = new ArrayList<>(launcher);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-D" + TEMPORARY + "=" + System.getProperty(TEMPORARY)));
        command.addAll(Machine.commitFlags());
        command.addAll(flags);
        command.addAll(List.of("-cp", classPath, main.getName()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        return new ChildJvm(builder.start(), output);
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Sends SIGKILL and waits for the end. Returns the exit code. */
    public int kill() throws InterruptedException {
        process.destroyForcibly();
        return process.waitFor();
    }

    /** Waits for the end. Returns the exit code. */
    public int waitFor() throws InterruptedException {
        return process.waitFor();
    }

    /** Where its threads are, as far as it can still say, and what the kernel knows of them. */
    public String threads() throws IOException, InterruptedException {
        StringBuilder text = new StringBuilder();
        try (Stream<Path> tasks = Files.list(Path.of("/proc/" + process.pid() + "/task"))) {
            for (Path task : (Iterable<Path>) tasks::iterator) {
                text.append(Files.readString(task.resolve("comm")).strip())
                        .append(": ")
                        .append(Files.readString(task.resolve("syscall")));
            }
        }
        // HotSpot prints its threads on SIGQUIT, when it still can; the memory comes last.
        new ProcessBuilder("kill", "-QUIT", Long.toString(process.pid())).start().waitFor();
        long deadlineNanos = System.nanoTime() + DUMP_NANOS_MAX;
        while (!Files.readString(output).contains("Heap") && System.nanoTime() < deadlineNanos) {
            process.waitFor(DUMP_POLL_MILLIS, TimeUnit.MILLISECONDS);
        }
        return text.append(Files.readString(output)).toString();
    }

    /** The last line that it printed, or how it ended when it printed nothing. */
    public String lastWords() throws IOException, InterruptedException {
        boolean ended = process.waitFor(1, TimeUnit.SECONDS);
        String printed = Files.readString(output).strip();
        if (!printed.isEmpty()) {
            return printed.lines().reduce((first, last) -> last).orElseThrow();
        }
        return ended ? "it exited with code " + process.exitValue() : "it said nothing";
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // Shutting down: the hook does the same.
            return;
        }
    }

    /** For the child: ends this process, without any ceremony, when the one that started it is gone. */
    public static void exitWithParent(long parentPid) {
        boolean orphaned = ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(0L) != parentPid;
        if (orphaned) {
            Runtime.getRuntime().halt(ORPHANED);
        }
    }
}
