package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C, or a SIGTERM, amid a command that makes something. */
@Timeout(120)
class InterruptionTest {

    /** Of zeros: much to go through, and no space. */
    private static final long LARGE_BYTES = 256L << 30;

    @TempDir
    Path directory;

    private Path store;
    private Path said;

    @BeforeEach
    void createStore() {
        store = directory.resolve("s");
        said = directory.resolve("said");
        succeed("create", store);
    }

    private static String succeed(Object... words) {
        final CommandRun run = CommandRun.of(words);
        assertEquals(0, run.exitCode(), run.err());
        return run.out();
    }

    /** Runs a command in a process of its own, until it has come to somewhere. */
    private void interrupt(BooleanSupplier moment, Object... words) throws IOException, InterruptedException {
        final List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path"), Main.class.getName()));
        List.of(words).forEach(word -> command.add(word.toString()));
        final Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile()).start();
        try {
            while (!moment.getAsBoolean()) {
                assertTrue(process.isAlive(), () -> said());
                Thread.sleep(5);
            }
            process.toHandle().destroy(); // and not the process, which would end its input, too
            assertEquals(128 + 15, process.waitFor(), () -> said());
            assertEquals(1, said().lines().filter(line -> line.startsWith("kvmdb: ")).count(), () -> said());
            assertTrue(said().contains("kvmdb: interrupted"), () -> said());
        } finally {
            process.destroyForcibly();
        }
    }

    /** Asks the process that has the store open, and does not open it itself. */
    private boolean isOpenWithVolume(String name) {
        return Files.exists(store.resolve("control.sock"))
                && CommandRun.of("volume", "list", store).out().contains(name);
    }

    private String said() {
        try {
            return Files.readString(said);
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void shouldImportNothing() throws IOException, InterruptedException {
        final Path file = directory.resolve("large");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(1), LARGE_BYTES - 1);
        }
        interrupt(() -> isOpenWithVolume("orders"), "import", store, "orders", file);
        assertFalse(succeed("volume", "list", store).contains("orders"));
    }

    @Test
    void shouldNotWaitForWhatIsImported() throws IOException, InterruptedException {
        interrupt(() -> isOpenWithVolume("orders"), "import", store, "orders", "-");
        assertFalse(succeed("volume", "list", store).contains("orders"));
    }

    @Test
    void shouldSayHowToGoOnWithAReceive() throws IOException, InterruptedException {
        interrupt(() -> Files.exists(store.resolve("control.sock")), "receive", store, "orders", "-");
        assertTrue(said().contains("kvmdb: interrupted; send the same stream again to go on"), () -> said());
    }

    @Test
    void shouldLeaveNothingOfADemo() throws IOException, InterruptedException {
        final Path work = directory.resolve("work");
        interrupt(() -> holdsAStore(work), "demo", "--quick", "--dir", work);
        try (Stream<Path> left = Files.list(work)) {
            assertEquals(List.of(), left.toList());
        }
    }

    private static boolean holdsAStore(Path work) {
        try (Stream<Path> files = Files.exists(work) ? Files.walk(work) : Stream.empty()) {
            return files.anyMatch(file -> file.endsWith("store.kvmdb"));
        } catch (IOException | UncheckedIOException e) { // it is at work there
            return false;
        }
    }

    @Test
    void shouldLeaveNoFileOfAnExport() throws IOException, InterruptedException {
        succeed("volume", "create", store, "orders", "--size", LARGE_BYTES);
        final Path part = directory.resolve("out.part");
        interrupt(() -> Files.exists(part), "export", store, "orders", directory.resolve("out"));
        assertFalse(Files.exists(part));
        assertFalse(Files.exists(directory.resolve("out")));
    }
}
