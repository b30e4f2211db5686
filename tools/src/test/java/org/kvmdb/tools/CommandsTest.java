package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;

/** Each command against a real store. */
class CommandsTest {

    @TempDir
    private Path directory;

    private Path store;

    @BeforeEach
    void createStore() {
        store = directory.resolve("store");
        succeed("create", store, "--segment-size", "1M");
    }

    private static CommandRun succeed(Object... arguments) {
        CommandRun run = CommandRun.of(arguments);
        assertEquals(0, run.exitCode(), run.err());
        return run;
    }

    private static String fail(Object... arguments) {
        CommandRun run = CommandRun.of(arguments);
        assertEquals(1, run.exitCode(), run.out());
        assertTrue(run.isOneSentence(), run.err());
        assertFalse(run.err().contains("unexpected"), run.err());
        return run.err();
    }

    private static List<?> volumes(CommandRun run) throws IOException {
        return (List<?>) run.json().get("volumes");
    }

    private Path file(String name, int lengthBytes, long seed) throws IOException {
        byte[] bytes = new byte[lengthBytes];
        new Random(seed).nextBytes(bytes);
        return Files.write(directory.resolve(name), bytes);
    }

    @Test
    void shouldTellWhenTheStoreExistsAlready() {
        fail("create", store);
    }

    @Test
    void shouldFailWhenWhatItPrintsCannotBeWritten() {
        for (String line : List.of("--help", "volume --help", "info %", "info % --json", "stats %", "space %")) {
            StringWriter err = new StringWriter();
            OutputStream full = new FullOutput();
            int exitCode = Main.run(
                    new StandardOutput(full), new PrintWriter(err), line.replace("%", store.toString()).split(" "));
            assertEquals(1, exitCode, line);
            assertTrue(err.toString().contains("standard output") && err.toString().lines().count() == 1, err.toString());
        }
    }

    @Test
    void shouldSayThatThereIsNothingToList() throws IOException {
        assertEquals("  no volumes%n".formatted(), succeed("volume", "list", store).out());
        assertEquals("  no snapshots%n".formatted(), succeed("snapshot", "list", store).out());
        assertEquals(List.of(), succeed("volume", "list", store, "--json").json().get("volumes"));
        assertEquals(List.of(), succeed("snapshot", "list", store, "--json").json().get("snapshots"));
    }

    @Test
    void shouldNameTheFileWhenItsDiskIsFull() {
        succeed("volume", "create", store, "v", "--size", "1M");
        String said = fail("export", store, "v", "/dev/full");
        assertTrue(said.contains("No space left on device: /dev/full"), said);
    }

    /** As a disk that is full. */
    private static final class FullOutput extends OutputStream {
        @Override
        public void write(int b) throws IOException {
            throw new IOException("No space left on device");
        }
    }

    @Test
    void shouldTellWhenThereIsNoStore() throws IOException {
        for (String command : List.of("info", "check", "volume list")) {
            Object[] words = (command + " " + directory.resolve("none")).split(" ");
            fail(words);
        }
        Path other = Files.createDirectory(directory.resolve("other"));
        fail("info", other);
    }

    @Test
    void shouldTellWhenTheStoreIsInUseAndItsOwnerCannotBeAsked() {
        try (Store open = Store.open(store, StoreOptions.defaults().withControlSocket(false))) {
            assertTrue(fail("info", store).contains("cannot be asked"));
            fail("volume", "create", store, "v", "--size", "1M");
            assertTrue(open.volumes().isEmpty());
        }
    }

    @Test
    void shouldCreateListResizeAndDeleteVolumes() throws IOException {
        Map<String, Object> created =
                succeed("volume", "create", store, "b", "--size", "64G", "--page-size", "16K", "--json").json();
        assertEquals(64L << 30, ((Number) created.get("sizeBytes")).longValue());
        assertEquals(16384, ((Number) created.get("pageSizeBytes")).intValue());
        succeed("volume", "create", store, "a", "--size", "5000");
        CommandRun list = succeed("volume", "list", store, "--json");
        assertEquals(List.of("a", "b"), volumes(list).stream().map(v -> ((Map<?, ?>) v).get("name")).toList());
        assertEquals(8192, ((Number) ((Map<?, ?>) volumes(list).getFirst()).get("sizeBytes")).intValue());
        String text = succeed("volume", "list", store).out();
        assertTrue(text.contains("64 GiB") && text.contains("16 KiB"), text);
        assertTrue(succeed("volume", "resize", store, "b", "--size", "1M").out().contains("1 MiB"));
        succeed("volume", "delete", store, "a");
        assertEquals(1, volumes(succeed("info", store, "--json")).size());
    }

    @Test
    void shouldTellWhenAVolumeExistsOrDoesNot() {
        succeed("volume", "create", store, "v", "--size", "1M");
        fail("volume", "create", store, "v", "--size", "1M");
        assertTrue(fail("volume", "delete", store, "w").contains("w"));
        fail("volume", "resize", store, "w", "--size", "1M");
        fail("export", store, "w", directory.resolve("out"));
        assertFalse(Files.exists(directory.resolve("out")));
    }

    @Test
    void shouldExportWhatWasImported() throws IOException {
        Path data = file("data", 3_000_001, 1);
        Map<String, Object> imported = succeed("import", store, "v", data, "--json").json();
        assertEquals(3_000_001, ((Number) imported.get("lengthBytes")).intValue());
        assertEquals(true, imported.get("created"));
        Path out = directory.resolve("out");
        succeed("export", store, "v", out, "--length", "3000001");
        assertEquals(-1, Files.mismatch(data, out));
        succeed("export", store, "v", out);
        byte[] whole = Files.readAllBytes(out);
        assertEquals(3_002_368, whole.length);
        assertArrayEquals(Files.readAllBytes(data), Arrays.copyOf(whole, 3_000_001));
        assertFalse(Files.exists(directory.resolve("out.part")));
        fail("export", store, "v", out, "--length", "4M");
        fail("export", store, "v", directory.resolve("no/such/out"));
    }

    @Test
    void shouldLeaveTheRestWhenAFileIsImportedIntoALargerVolume() throws IOException {
        succeed("import", store, "v", file("first", 2 << 20, 1));
        Path second = file("second", 100_000, 2);
        assertEquals(false, succeed("import", store, "v", second, "--json").json().get("created"));
        Path out = directory.resolve("out");
        succeed("export", store, "v", out);
        byte[] expected = Files.readAllBytes(directory.resolve("first"));
        System.arraycopy(Files.readAllBytes(second), 0, expected, 0, 100_000);
        assertArrayEquals(expected, Files.readAllBytes(out));
    }

    @Test
    void shouldLeaveHolesWhenAFileHasLongRunsOfZeros() throws IOException {
        Path data = directory.resolve("sparse");
        Files.write(data, new byte[] {1});
        try (var channel = Files.newByteChannel(data, StandardOpenOption.WRITE)) {
            channel.position(20L << 20).write(ByteBuffer.wrap(new byte[] {2}));
        }
        Map<String, Object> imported = succeed("import", store, "v", data, "--json").json();
        assertTrue(((Number) imported.get("bytesWritten")).longValue() < 1 << 20, imported.toString());
        Path out = directory.resolve("out");
        succeed("export", store, "v", out, "--length", String.valueOf(Files.size(data)));
        assertEquals(-1, Files.mismatch(data, out));
    }

    @Test
    void shouldChangeNothingWhenAnImportFails() throws IOException {
        succeed("volume", "create", store, "v", "--size", "1M");
        Path large = file("large", 2 << 20, 1);
        assertTrue(fail("import", store, "v", large).contains("resize"));
        fail("import", store, "w", directory.resolve("missing"));
        fail("import", store, "w", directory);
        fail("import", store, "w", Files.createFile(directory.resolve("empty")));
        assertEquals(1, volumes(succeed("info", store, "--json")).size());
    }

    @Test
    void shouldLeaveNoVolumeWhenTheStoreIsTooFullForAnImport() throws IOException {
        Path data = file("data", 40 << 20, 1);
        fail("import", store, "v", data, "--max-size", "16M", "--cache", "8M");
        assertEquals(0, volumes(succeed("info", store, "--json")).size());
    }

    @Test
    void shouldImportWhenTheFileIsLargerThanTheCache() throws IOException {
        Path data = file("data", 24 << 20, 3);
        succeed("import", store, "v", data, "--cache", "4M");
        Path out = directory.resolve("out");
        succeed("export", store, "v", out, "--cache", "4M");
        assertEquals(-1, Files.mismatch(data, out));
    }

    @Test
    void shouldFindNothingWhenASoundStoreIsChecked() throws IOException {
        succeed("import", store, "v", file("data", 1 << 20, 1));
        byte[] before = Files.readAllBytes(store.resolve("store.kvmdb"));
        Map<String, Object> report = succeed("check", store, "--json").json();
        assertEquals(true, report.get("clean"));
        assertEquals(256, ((Number) report.get("pages")).intValue());
        assertEquals(0, ((List<?>) report.get("defectList")).size());
        assertTrue(succeed("check", store).out().contains("clean"));
        assertArrayEquals(before, Files.readAllBytes(store.resolve("store.kvmdb")));
    }

    @Test
    void shouldExitWithOneAndSayWhereWhenAByteIsWrong() throws IOException {
        Path data = file("data", 1 << 20, 1);
        succeed("import", store, "v", data);
        Path file = store.resolve("store.kvmdb");
        byte[] bytes = Files.readAllBytes(file);
        // The middle of what was imported: stored raw, because it is random.
        byte[] piece = Arrays.copyOfRange(Files.readAllBytes(data), 500_000, 500_032);
        int at = indexOf(bytes, piece);
        bytes[at] ^= 1;
        Files.write(file, bytes);
        CommandRun run = CommandRun.of("check", store, "--json");
        assertEquals(1, run.exitCode());
        assertEquals(1, run.err().strip().lines().count(), run.err());
        assertTrue(run.err().contains("damaged"), run.err());
        Map<?, ?> defect = (Map<?, ?>) ((List<?>) run.json().get("defectList")).getFirst();
        assertEquals("PAGE", defect.get("kind"));
        assertEquals(500_000 / 4096, ((Number) defect.get("lpn")).intValue());
        assertEquals("v", defect.get("volume"));
        assertTrue(CommandRun.of("check", store).out().contains("lpn=122"));
        assertTrue(fail("export", store, "v", directory.resolve("out")).contains("lpn=122"));
        assertFalse(Files.exists(directory.resolve("out")));
    }

    private static int indexOf(byte[] bytes, byte[] piece) {
        for (int at = 0; at <= bytes.length - piece.length; at++) {
            if (Arrays.equals(bytes, at, at + piece.length, piece, 0, piece.length)) {
                return at;
            }
        }
        throw new AssertionError("not found");
    }

    @Test
    void shouldShowTheStoreWhenAskedForInfo() throws IOException {
        succeed("import", store, "v", file("data", 1 << 20, 1));
        Map<String, Object> info = succeed("info", store, "--json").json();
        assertTrue(((Number) info.get("liveBytes")).longValue() > 1 << 20);
        assertTrue(((Number) info.get("fileBytes")).longValue() >= ((Number) info.get("liveBytes")).longValue());
        assertTrue(succeed("info", store).out().contains("volume"));
    }
}
