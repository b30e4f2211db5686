package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands on snapshots, clones and quotas, against a real store. */
class SnapshotCommandsTest {

    private static final int BYTES = 1 << 20;

    @TempDir
    private Path directory;

    private Path store;
    private Path first;
    private Path second;

    @BeforeEach
    void createStore() throws IOException {
        store = directory.resolve("store");
        first = file("first", 1);
        second = file("second", 2);
        succeed("create", store, "--segment-size", "1M");
        succeed("import", store, "v", first);
    }

    private Path file(String name, long seed) throws IOException {
        byte[] bytes = new byte[BYTES];
        new Random(seed).nextBytes(bytes);
        return Files.write(directory.resolve(name), bytes);
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

    private List<String> snapshots() throws IOException {
        return ((List<?>) succeed("snapshot", "list", store, "--json").json().get("snapshots"))
                .stream().map(snapshot -> (String) ((Map<?, ?>) snapshot).get("name")).toList();
    }

    private void checkExported(String name, Path expected) throws IOException {
        Path out = directory.resolve("out");
        succeed("export", store, name, out);
        assertEquals(-1, Files.mismatch(expected, out), name);
    }

    @Test
    void shouldSnapshotChangeExportAndRollBack() throws IOException {
        Map<String, Object> created = succeed("snapshot", "create", store, "v@before", "--json").json();
        Map<?, ?> snapshot = (Map<?, ?>) ((List<?>) created.get("snapshots")).getFirst();
        assertEquals("v@before", snapshot.get("name"));
        assertEquals(BYTES, ((Number) snapshot.get("sizeBytes")).intValue());
        assertTrue(((Number) snapshot.get("referencedBytes")).longValue() >= BYTES);
        assertTrue(snapshot.get("created").toString().matches("20\\d\\d-.*T.*Z"), snapshot.toString());
        succeed("import", store, "v", second);
        succeed("snapshot", "create", store, "v@after");
        checkExported("v@before", first);
        checkExported("v@after", second);
        checkExported("v", second);
        succeed("snapshot", "rollback", store, "v@before");
        checkExported("v", first);
        succeed("snapshot", "rollback", store, "v@after");
        checkExported("v", second);
        assertEquals(List.of("v@before", "v@after"), snapshots());
        assertTrue(succeed("snapshot", "list", store, "v").out().contains("1 MiB"));
        assertEquals(2, ((Number) succeed("info", store, "--json").json().get("snapshots")).intValue());
        succeed("snapshot", "delete", store, "v@before", "v@after");
        assertEquals(List.of(), snapshots());
        checkExported("v", second);
        succeed("check", store);
    }

    @Test
    void shouldSnapshotSeveralVolumesTogetherOrNone() throws IOException {
        succeed("import", store, "w", second);
        succeed("snapshot", "create", store, "v@friday", "w@friday");
        assertEquals(List.of("v@friday", "w@friday"), snapshots());
        succeed("snapshot", "create", store, "w@saturday");
        fail("snapshot", "create", store, "v@saturday", "w@saturday");
        fail("snapshot", "create", store, "v@sunday", "x@sunday");
        assertEquals(3, snapshots().size());
        assertEquals(2, ((List<?>) succeed("snapshot", "list", store, "w", "--json").json().get("snapshots")).size());
    }

    @Test
    void shouldCloneAndKeepBothApart() throws IOException {
        succeed("snapshot", "create", store, "v@s");
        assertEquals("test", succeed("clone", store, "v@s", "test", "--json").json().get("name"));
        succeed("import", store, "test", second);
        checkExported("test", second);
        checkExported("v", first);
        assertTrue(fail("snapshot", "delete", store, "v@s").contains("test"));
        assertTrue(fail("volume", "delete", store, "v").contains("v@s"));
        fail("clone", store, "v@s", "v");
        fail("clone", store, "v@none", "x");
        succeed("volume", "delete", store, "test");
        succeed("snapshot", "delete", store, "v@s");
        succeed("volume", "delete", store, "v");
        succeed("check", store);
    }

    /** It stands between the clone and where that came from. */
    @Test
    void shouldKnowACloneWhenThatHasASnapshotOfItsOwn() throws IOException {
        succeed("snapshot", "create", store, "v@s");
        succeed("clone", store, "v@s", "test");
        succeed("snapshot", "create", store, "test@1");
        String said = fail("snapshot", "delete", store, "v@s");
        assertTrue(said.endsWith("delete the clones first: test\n"), said);
        List<?> holders = (List<?>) succeed("space", store, "--json").json().get("holders");
        Map<Object, Object> origins = new HashMap<>();
        holders.forEach(holder -> origins.put(((Map<?, ?>) holder).get("name"), ((Map<?, ?>) holder).get("origin")));
        assertEquals(Map.of("v", "", "v@s", "", "test", "v@s", "test@1", ""), origins);
        succeed("snapshot", "rollback", store, "test@1");
        assertTrue(succeed("space", store).out().lines().anyMatch(line -> line.contains("test ") && line.endsWith("v@s")));
    }

    @Test
    void shouldGiveSpaceBackWhenASnapshotIsDeleted() throws IOException {
        for (int i = 0; i < 12; i++) {
            succeed("import", store, "v", file("next", 10 + i));
            succeed("snapshot", "create", store, "v@s" + i);
        }
        long full = ((Number) succeed("info", store, "--json").json().get("liveBytes")).longValue();
        for (int i = 0; i < 12; i++) {
            succeed("snapshot", "delete", store, "v@s" + i);
        }
        long left = ((Number) succeed("info", store, "--json").json().get("liveBytes")).longValue();
        assertTrue(full > 12L * BYTES && left < 2L * BYTES, "%d, then %d".formatted(full, left));
    }

    @Test
    void shouldLimitAVolume() throws IOException {
        Map<String, Object> limited = succeed("volume", "quota", store, "v", "--size", "1100K", "--json").json();
        assertEquals(1100 << 10, ((Number) limited.get("quotaBytes")).intValue());
        assertTrue(succeed("volume", "list", store).out().contains("1.07 MiB"));
        succeed("volume", "resize", store, "v", "--size", "3M");
        Path larger = directory.resolve("larger");
        byte[] bytes = new byte[2 * BYTES];
        new Random(5).nextBytes(bytes);
        Files.write(larger, bytes);
        assertTrue(fail("import", store, "v", larger).contains("quota"));
        succeed("volume", "quota", store, "v", "--size", "0");
        succeed("import", store, "v", larger);
    }
}
