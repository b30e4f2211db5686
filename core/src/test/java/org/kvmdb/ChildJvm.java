package org.kvmdb;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A JVM with the class path of the tests. Its output goes to a file; a child that is still there after its time is asked
 * for a dump of its threads, killed, and the test fails with both.
 */
final class ChildJvm implements AutoCloseable {

    private final Process process;
    private final Path output;

    private ChildJvm(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    static ChildJvm start(Path directory, List<String> flags, Class<?> main, Object... arguments) throws IOException {
        return start(directory, List.of(), flags, main, arguments);
    }

    /** As above, behind a command like {@code prlimit}. */
    static ChildJvm start(Path directory, List<String> before, List<String> flags, Class<?> main, Object... arguments)
            throws IOException {
        final List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("--sun-misc-unsafe-memory-access=allow");
        command.add("-XX:-CreateCoredumpOnCrash");
        command.add("-XX:ErrorFile=" + directory.resolve("hs_err_%p.log"));
        command.addAll(flags);
        command.add("-cp");
        command.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        command.add(main.getName());
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        final Path output = Files.createTempFile(directory, "child", ".out");
        final Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        return new ChildJvm(process, output);
    }

    String output() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            return "(no output: " + e + ")";
        }
    }

    long pid() {
        return process.pid();
    }

    /** Writes a line to the child's standard input. */
    void say(String line) throws IOException {
        process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    int exitCode() throws InterruptedException {
        return process.waitFor();
    }

    /** Waits for a line of output; fails when the child ends or takes longer. */
    void awaitOutput(String text, int seconds) throws InterruptedException {
        final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (!output().contains(text)) {
            if (!process.isAlive() && !output().contains(text)) {
                throw new AssertionError("child ended with %d before it said '%s':%n%s"
                        .formatted(process.exitValue(), text, output()));
            }
            if (System.nanoTime() > deadline) {
                throw hung(seconds);
            }
            Thread.sleep(2);
        }
    }

    /** Waits for the child to end by itself with code 0; returns what it printed. */
    String awaitSuccess(int seconds) throws InterruptedException {
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
            throw hung(seconds);
        }
        if (process.exitValue() != 0) {
            throw new AssertionError("child ended with %d:%n%s".formatted(process.exitValue(), output()));
        }
        return output();
    }

    private AssertionError hung(int seconds) throws InterruptedException {
        try {
            // HotSpot prints its threads on SIGQUIT, when it still can.
            new ProcessBuilder("kill", "-QUIT", Long.toString(process.pid())).start().waitFor();
        } catch (IOException e) {
            throw new AssertionError("child hangs and cannot be asked why", e);
        }
        Thread.sleep(2000);
        final String threads = kernelView();
        kill();
        return new AssertionError("child hangs after %d s:%n%s%n%s".formatted(seconds, output(), threads));
    }

    private String kernelView() {
        final StringBuilder view = new StringBuilder();
        try (var tasks = Files.list(Path.of("/proc/" + process.pid() + "/task"))) {
            for (Path task : (Iterable<Path>) tasks::iterator) {
                view.append(Files.readString(task.resolve("comm")).strip())
                        .append(": ")
                        .append(Files.readString(task.resolve("syscall")));
            }
        } catch (IOException e) {
            view.append(e);
        }
        return view.toString();
    }

    /** SIGKILL. */
    void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    @Override
    public void close() {
        kill();
    }
}
