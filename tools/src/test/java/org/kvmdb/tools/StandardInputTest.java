package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Imports from standard input, which is that of a process. */
@Timeout(120)
class StandardInputTest {

    private static final int BYTES = (5 << 20) + 1000;

    @TempDir
    Path directory;

    private Path store;
    private Path said;

    @BeforeEach
    void createStore() {
        store = directory.resolve("s");
        said = directory.resolve("said");
        assertEquals(0, CommandRun.of("create", store).exitCode());
    }

    private int importFrom(File input, String volume) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path"), Main.class.getName(),
                "import", store.toString(), volume, "-"));
        Process process = new ProcessBuilder(command)
                .redirectInput(input)
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        try {
            return process.waitFor();
        } finally {
            process.destroyForcibly();
        }
    }

    private Path input() throws IOException {
        byte[] bytes = new byte[BYTES];
        new Random(1).nextBytes(bytes);
        return Files.write(directory.resolve("input"), bytes);
    }

    @Test
    void shouldImportAllThatComes() throws IOException, InterruptedException {
        Path input = input();
        assertEquals(0, importFrom(input.toFile(), "orders"), Files.readString(said));
        assertTrue(Files.readString(said).contains("standard input"), Files.readString(said));
        Path output = directory.resolve("output");
        assertEquals(0, CommandRun.of("export", store, "orders", output).exitCode());
        byte[] exported = Files.readAllBytes(output);
        assertEquals((BYTES + 4095) / 4096 * 4096, exported.length, "the volume has the size of the input");
        assertArrayEquals(Files.readAllBytes(input), java.util.Arrays.copyOf(exported, BYTES));
    }

    @Test
    void shouldImportNothingWhenNothingComes() throws IOException, InterruptedException {
        assertEquals(1, importFrom(new File("/dev/null"), "orders"));
        assertTrue(Files.readString(said).contains("standard input is empty"), Files.readString(said));
        assertFalse(CommandRun.of("volume", "list", store).out().contains("orders"));
    }

    @Test
    void shouldImportNothingWhenMoreComesThanTheVolumeTakes() throws IOException, InterruptedException {
        assertEquals(0, CommandRun.of("volume", "create", store, "orders", "--size", "2M").exitCode());
        assertEquals(1, importFrom(input().toFile(), "orders"));
        assertTrue(Files.readString(said).contains("more came than volume orders takes (2 MiB)"), Files.readString(said));
        assertTrue(CommandRun.of("volume", "list", store, "--json").out().contains("\"referencedBytes\" : 0"));
    }
}
