package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What may lie where a command is told that a store is: one sentence, which names it, and exit code 1. */
@Timeout(60)
class HostInputTest {

    @TempDir
    Path directory;

    private Path store;
    private Path file;

    @BeforeEach
    void nameTheStore() {
        store = directory.resolve("s");
        file = store.resolve("store.kvmdb");
    }

    /** Commands that open a store or look at its file, each as it is typed. */
    private List<List<Object>> commands() {
        return List.of(
                List.of("info", store),
                List.of("volume", "list", store),
                List.of("volume", "create", store, "v", "--size", "1M"),
                List.of("snapshot", "list", store),
                List.of("space", store),
                List.of("gc", store),
                List.of("scrub", store),
                List.of("check", store),
                List.of("checkpoint", store),
                List.of("export", store, "v", directory.resolve("out")),
                List.of("send", store, "v@s", directory.resolve("stream")));
    }

    private void assertEachSaysWhatIsWrong(String... what) {
        for (List<Object> command : commands()) {
            final CommandRun run = CommandRun.of(command.toArray());
            assertEquals(1, run.exitCode(), () -> command + ": " + run);
            assertTrue(run.isOneSentence(), () -> command + ": " + run);
            assertTrue(run.err().contains(store.toString()) && Stream.of(what).anyMatch(run.err()::contains), () -> command + ": " + run);
        }
    }

    private static void run(Object... command) throws IOException, InterruptedException {
        final List<String> words = new ArrayList<>();
        for (Object word : command) {
            words.add(word.toString());
        }
        assertEquals(0, new ProcessBuilder(words).start().waitFor());
    }

    @Test
    void shouldSayThatThereIsNothing() {
        assertEachSaysWhatIsWrong("does not exist");
    }

    @Test
    void shouldSayThatItIsAFile() throws IOException {
        Files.write(store, new byte[100]);
        assertEachSaysWhatIsWrong("not a directory", "does not exist");
        final CommandRun create = CommandRun.of("create", store);
        assertEquals(1, create.exitCode());
        assertTrue(create.isOneSentence() && create.err().contains("not a directory"), create::toString);
    }

    @Test
    void shouldNotSayThatThereIsNothingWhereItCannotBeKnown() throws IOException {
        Files.createSymbolicLink(store, store);
        final CommandRun check = CommandRun.of("check", store);
        assertEquals(1, check.exitCode());
        assertTrue(check.isOneSentence() && check.err().contains("symbolic link"), check::toString);
    }

    @Test
    void shouldSayThatItIsALink() throws IOException {
        assertEquals(0, CommandRun.of("create", directory.resolve("other")).exitCode());
        Files.createDirectory(store);
        Files.createSymbolicLink(file, directory.resolve("other").resolve("store.kvmdb"));
        assertEachSaysWhatIsWrong("symbolic link");
    }

    @Test
    void shouldSayThatItIsNoFile() throws IOException, InterruptedException {
        Files.createDirectory(store);
        run("mkfifo", file);
        assertEachSaysWhatIsWrong("neither a file nor a block device");
        Files.delete(file);
        Files.createDirectory(file);
        assertEachSaysWhatIsWrong("is a directory");
    }

    @Test
    void shouldSayThatItIsNoStore() throws IOException {
        Files.createDirectory(store);
        final byte[] noise = new byte[3 << 20];
        new Random(1).nextBytes(noise);
        for (int length : new int[] {0, 1, 4096, noise.length}) {
            Files.write(file, java.util.Arrays.copyOf(noise, length));
            assertEachSaysWhatIsWrong("not a store");
            assertEquals(length, Files.size(file));
        }
    }
}
