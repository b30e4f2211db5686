package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.NoSuchVolumeException;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;

/** Commands on a store that another process has open: this one has it, the command runs in a child. */
class LiveStoreTest {

    @TempDir
    private Path directory;

    private Path path;
    private Store store;
    private Volume orders;

    @BeforeEach
    void openStore() {
        path = directory.resolve("store");
        store = Store.create(path, StoreOptions.defaults().withSegmentSizeBytes(1 << 20));
        orders = store.createVolume("orders", VolumeOptions.ofSizeBytes(8 << 20).withPageSizeBytes(16384));
        orders.memory().set(ValueLayout.JAVA_LONG, 0, 42);
        store.commit();
    }

    @AfterEach
    void closeStore() {
        store.close();
    }

    private record Run(int exitCode, String output) {

        Map<String, Object> json() throws IOException {
            return JSON.std.mapFrom(output);
        }
    }

    private Run child(Object... arguments) throws IOException, InterruptedException {
        Path output = Files.createTempFile(directory, "child", ".out");
        List<String> words = Stream.of(arguments).map(Object::toString).toList();
        try (ChildJvm child = ChildJvm.start(output, words)) {
            int exitCode = child.waitFor();
            return new Run(exitCode, Files.readString(output));
        }
    }

    private CommandRun succeed(Object... arguments) {
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

    @Test
    void shouldWorkWhenAnotherProcessHasTheStoreOpen() throws IOException, InterruptedException {
        Run info = child("info", path, "--json");
        assertEquals(0, info.exitCode(), info.output());
        assertEquals(path.toString(), info.json().get("store"));
        assertEquals(8 << 20, ((Number) volumes(info).getFirst().get("sizeBytes")).intValue());
        Run created = child("volume", "create", path, "größer", "--size", "1G");
        assertEquals(0, created.exitCode(), created.output());
        assertEquals(1 << 30, store.volume("größer").sizeBytes());
        assertEquals(0, child("volume", "resize", path, "orders", "--size", "16M").exitCode());
        assertEquals(16 << 20, orders.sizeBytes());
        assertEquals(2, volumes(child("volume", "list", path, "--json")).size());
        assertEquals(0, child("volume", "delete", path, "größer").exitCode());
        assertThrows(NoSuchVolumeException.class, () -> store.volume("größer"));
        assertEquals(42, orders.memory().get(ValueLayout.JAVA_LONG, 0));
    }

    @SuppressWarnings("unchecked")
    private static List<Map<String, Object>> volumes(Run run) throws IOException {
        return (List<Map<String, Object>>) (List<?>) run.json().get("volumes");
    }

    @Test
    void shouldTakeCloneAndDeleteSnapshotsWhenAnotherProcessHasTheStoreOpen() throws IOException, InterruptedException {
        orders.memory().set(ValueLayout.JAVA_LONG, 8, 43);
        assertEquals(0, child("snapshot", "create", path, "orders@first").exitCode());
        store.commit();
        Run clone = child("clone", path, "orders@first", "copy");
        assertEquals(0, clone.exitCode(), clone.output());
        // Of what was committed, and nothing was committed for it.
        assertEquals(42, store.volume("copy").memory().get(ValueLayout.JAVA_LONG, 0));
        assertEquals(0, store.volume("copy").memory().get(ValueLayout.JAVA_LONG, 8));
        assertEquals(43, orders.memory().get(ValueLayout.JAVA_LONG, 8));
        assertTrue(fail("snapshot", "delete", path, "orders@first").contains("copy"));
        assertTrue(fail("snapshot", "rollback", path, "orders@first").contains("--force"));
        succeed("snapshot", "rollback", path, "orders@first", "--force");
        assertEquals(0, orders.memory().get(ValueLayout.JAVA_LONG, 8));
        succeed("volume", "delete", path, "copy", "--force");
        assertEquals(0, child("snapshot", "delete", path, "orders@first").exitCode());
        assertTrue(store.snapshots().isEmpty());
    }

    @Test
    void shouldTakeSnapshotsOfSeveralVolumesTogether() throws IOException {
        store.createVolume("customers", VolumeOptions.ofSizeBytes(1 << 20));
        succeed("snapshot", "create", path, "orders@friday", "customers@friday");
        assertEquals(2, store.snapshots().size());
        succeed("volume", "create", path, "new", "--size", "1M");
        fail("snapshot", "create", path, "new@friday", "orders@friday");
        assertEquals(2, snapshotsListed(succeed("snapshot", "list", path, "--json")));
        assertEquals(1, snapshotsListed(succeed("snapshot", "list", path, "orders", "--json")));
        String deleted = succeed("snapshot", "delete", path, "orders@friday", "customers@friday").out();
        assertTrue(deleted.contains("orders@friday customers@friday"), deleted);
    }

    private static int snapshotsListed(CommandRun run) throws IOException {
        return ((List<?>) run.json().get("snapshots")).size();
    }

    @Test
    void shouldLimitAVolumeWhenItIsLive() {
        assertTrue(succeed("volume", "quota", path, "orders", "--size", "10M").out().contains("10 MiB"));
        assertEquals(10 << 20, orders.quotaBytes());
    }

    @Test
    void shouldPrintTheSameWhenTheStoreIsOpenedByTheCommand() {
        orders.snapshot("first");
        List<Object[]> commands = List.of(
                new Object[] {"volume", "list", path},
                new Object[] {"volume", "list", path, "--json"},
                new Object[] {"snapshot", "list", path},
                new Object[] {"snapshot", "list", path, "orders", "--json"},
                new Object[] {"volume", "resize", path, "orders", "--size", "8M"});
        List<String> live = commands.stream().map(command -> succeed(command).out()).toList();
        String liveInfo = succeed("info", path, "--json").out();
        store.close();
        assertEquals(live, commands.stream().map(command -> succeed(command).out()).toList());
        assertEquals(keys(liveInfo), keys(succeed("info", path, "--json").out()));
    }

    private static List<String> keys(String json) {
        return json.lines().map(line -> line.replaceFirst(":.*", "")).toList();
    }

    @Test
    void shouldCheckpointInTheProcessThatHasTheStoreOpen() throws IOException {
        for (int i = 0; i < 6; i++) {
            orders.memory().set(ValueLayout.JAVA_LONG, 0, i);
            store.commit();
        }
        long sequence = ((Number) succeed("checkpoint", path, "--json").json().get("sequence")).longValue();
        assertTrue(sequence > 0 && sequence <= store.statistics().log().sequence());
    }

    @Test
    void shouldKeepWhatTheProcessWorksOnWhenItIsToBeDeleted() {
        String refusal = fail("volume", "delete", path, "orders");
        assertTrue(refusal.contains("process " + ProcessHandle.current().pid()), refusal);
        assertTrue(refusal.contains("--force"), refusal);
        fail("volume", "resize", path, "orders", "--size", "1M");
        assertEquals(8 << 20, orders.sizeBytes());
        assertEquals(42, orders.memory().get(ValueLayout.JAVA_LONG, 0));
        succeed("volume", "resize", path, "orders", "--size", "1M", "--force");
        assertEquals(1 << 20, orders.sizeBytes());
        succeed("volume", "delete", path, "orders", "--force");
        assertTrue(store.volumes().isEmpty());
    }

    @Test
    void shouldTellTheSameErrorsWhenTheStoreIsLive() {
        List<Object[]> commands = List.of(
                new Object[] {"volume", "delete", path, "none"},
                new Object[] {"volume", "resize", path, "none", "--size", "1M"},
                new Object[] {"volume", "create", path, "orders", "--size", "1M"},
                new Object[] {"snapshot", "delete", path, "orders@none"},
                new Object[] {"snapshot", "create", path, "none@none"},
                new Object[] {"clone", path, "orders@none", "copy"},
                new Object[] {"volume", "create", path, "no/name", "--size", "1M"});
        List<String> live = commands.stream().map(LiveStoreTest::fail).toList();
        store.close();
        assertEquals(live, commands.stream().map(LiveStoreTest::fail).toList());
    }

    @Test
    void shouldTellWhatCannotBeDoneWhenTheStoreIsLive() throws IOException {
        Path file = Files.write(directory.resolve("data"), new byte[5000]);
        assertTrue(fail("import", path, "v", file).contains("import works only"));
        assertTrue(fail("export", path, "orders", directory.resolve("out")).contains("export works only"));
        assertTrue(fail("check", path).contains("check needs"));
        fail("create", path);
        assertEquals(1, store.volumes().size());
    }
}
