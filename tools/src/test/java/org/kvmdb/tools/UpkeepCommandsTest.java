package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.VolumeOptions;

/** The commands on space and health, against a real store. */
class UpkeepCommandsTest {

    private static final int BYTES = 8 << 20;

    @TempDir
    private Path directory;

    private Path store;
    private byte[] content;

    /** A volume that does not compress, a snapshot, and half of the volume written again. */
    @BeforeEach
    void createStore() throws IOException {
        store = directory.resolve("store");
        content = random(BYTES, 1);
        succeed("create", store, "--segment-size", "1M");
        succeed("import", store, "v", file("first", content));
        succeed("snapshot", "create", store, "v@before");
        succeed("import", store, "v", file("second", random(BYTES / 2, 2)));
    }

    private static byte[] random(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private Path file(String name, byte[] bytes) throws IOException {
        return Files.write(directory.resolve(name), bytes);
    }

    private static CommandRun succeed(Object... arguments) {
        CommandRun run = CommandRun.of(arguments);
        assertEquals(0, run.exitCode(), run.err());
        return run;
    }

    private static long number(Map<?, ?> json, String key) {
        return ((Number) json.get(key)).longValue();
    }

    /** Flips a bit of each copy of a page's block: the cleaner may have left dead ones. Raw, so that its bytes are found. */
    private void rot(int lpn) throws IOException {
        Path data = store.resolve("store.kvmdb");
        byte[] all = Files.readAllBytes(data);
        int found = 0;
        try (FileChannel channel = FileChannel.open(data, StandardOpenOption.WRITE)) {
            for (int at = 16; at < all.length - 4096; at += 64) {
                if (Arrays.equals(all, at, at + 64, content, lpn << 12, (lpn << 12) + 64)) {
                    channel.write(ByteBuffer.wrap(new byte[] {(byte) (all[at + 9] ^ 1)}), at + 9);
                    found++;
                }
            }
        }
        assertTrue(found > 0, "page %d was not found".formatted(lpn));
    }

    @Test
    void shouldShowWhatTheSpaceIsUsedFor() throws IOException {
        Map<String, Object> space = succeed("space", store, "--json").json();
        assertEquals(true, space.get("isExact"));
        assertEquals(true, space.get("addsUp"));
        assertEquals(
                number(space, "segmentBytes"),
                List.of("liveBytes", "stolenBytes", "deadBytes", "reclaimableBytes", "openBytes", "freeBytes", "holeBytes")
                        .stream().mapToLong(key -> number(space, key)).sum());
        List<?> holders = (List<?>) space.get("holders");
        Map<?, ?> volume = (Map<?, ?>) holders.get(0);
        Map<?, ?> snapshot = (Map<?, ?>) holders.get(1);
        assertEquals("v", volume.get("name"));
        assertEquals("v@before", snapshot.get("name"));
        assertEquals(BYTES >> 12, number(snapshot, "pages"));
        assertEquals(number(snapshot, "referencedBytes") / 2, number(snapshot, "uniqueBytes"));
        assertEquals(number(volume, "referencedBytes") / 2, number(volume, "uniqueBytes"));
        String text = succeed("space", store).out();
        assertTrue(text.contains("v@before") && text.contains("dead, for the cleaner"), text);
    }

    @Test
    void shouldSaveTheDiskSpaceOfWhatWasDeleted() throws IOException {
        succeed("snapshot", "delete", store, "v@before");
        Map<String, Object> before = succeed("space", store, "--json").json();
        Map<String, Object> gc = succeed("gc", store, "--dead", "1", "--json").json();
        Map<String, Object> after = succeed("space", store, "--json").json();
        assertEquals(number(before, "pageBytes"), number(after, "pageBytes"));
        assertTrue(number(after, "deadBytes") < number(before, "segmentBytes") / 10, after::toString);
        assertTrue(number(gc, "fileBytes") <= number(gc, "fileBytesBefore"), gc::toString);
        // Segments of 1 MiB: those that are written to, and a few free ones that the store had granted again since.
        assertTrue(number(after, "diskBytes") < number(after, "liveBytes") + (12 << 20), after::toString);
        succeed("check", store);
        assertEquals(2, CommandRun.of("gc", store, "--dead", "101").exitCode());
        assertTrue(succeed("gc", store).out().contains("on disk before"));
    }

    @Test
    void shouldFailAScrubThatFindsSomethingBadAndNameIt() throws IOException {
        CommandRun good = succeed("scrub", store, "--rate", "1G");
        assertTrue(good.out().contains("bad blocks"), good.out());
        rot(3);
        rot(BYTES - 8192 >> 12);
        CommandRun bad = CommandRun.of("scrub", store);
        assertEquals(1, bad.exitCode());
        assertTrue(bad.out().contains("page 3 of v@before"), bad.out());
        assertTrue(bad.out().contains("held by v, v@before") || bad.out().contains("held by v@before, v"), bad.out());
        assertTrue(bad.err().contains("2 bad blocks"), bad.err());
        CommandRun json = CommandRun.of("scrub", store, "--json");
        assertEquals(1, json.exitCode());
        Map<?, ?> block = (Map<?, ?>) ((List<?>) json.json().get("badBlocks")).getFirst();
        assertEquals(List.of("v@before"), block.get("holders"));
        assertEquals(3, number(block, "lpn"));
        assertEquals("page", block.get("kind"));
    }

    @Test
    void shouldNameAllThatHoldWhatACheckFindsBad() throws IOException {
        rot(BYTES - 8192 >> 12);
        CommandRun bad = CommandRun.of("check", store);
        assertEquals(1, bad.exitCode());
        assertTrue(bad.out().contains("    held by v, v@before") || bad.out().contains("    held by v@before, v"), bad.out());
        assertTrue(bad.err().contains("the store is damaged: 1 defect in "), bad.err());
        Map<?, ?> defect = (Map<?, ?>)
                ((List<?>) CommandRun.of("check", store, "--json").json().get("defectList")).getFirst();
        assertEquals(Set.of("v", "v@before"), Set.copyOf((List<?>) defect.get("holders")));
        assertEquals(2, ((List<?>) defect.get("holders")).size());
    }

    @Test
    void shouldWorkOnAStoreThatIsInUse() throws IOException {
        try (Store live = Store.open(store, StoreOptions.defaults())) {
            assertEquals(0L, number(succeed("scrub", store, "--json").json(), "badCount"));
            assertEquals(true, succeed("space", store, "--json").json().get("addsUp"));
            succeed("gc", store);
            live.deleteVolume(live.createVolume("w", VolumeOptions.ofSizeBytes(1 << 20)).name());
        }
        assertFalse(Files.exists(store.resolve("scrub.state")));
    }
}
