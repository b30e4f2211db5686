package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** diff, send and receive against real stores. */
class StreamCommandsTest {

    private static final int BYTES = 2 << 20;
    private static final int PAGE = 4096;

    @TempDir
    private Path directory;

    private Path source;
    private Path target;
    private Path first;
    private Path second;

    /** Two states of a volume, a snapshot of each; the second differs in the bytes from 1 MiB to 1 MiB + 10,000. */
    @BeforeEach
    void createStores() throws IOException {
        source = directory.resolve("source");
        target = directory.resolve("target");
        byte[] bytes = new byte[BYTES];
        new Random(1).nextBytes(bytes);
        first = Files.write(directory.resolve("first"), bytes);
        Arrays.fill(bytes, 1 << 20, (1 << 20) + 10_000, (byte) 7);
        second = Files.write(directory.resolve("second"), bytes);
        succeed("create", source, "--segment-size", "1M");
        succeed("create", target, "--segment-size", "1M");
        succeed("import", source, "v", first);
        succeed("snapshot", "create", source, "v@one");
        // What is imported is written, changed or not: only the part that differs may be.
        Path part = Files.write(directory.resolve("part"), Arrays.copyOfRange(bytes, 0, 1));
        succeed("import", source, "v", part);
        succeed("snapshot", "create", source, "v@touched");
        succeed("import", source, "v", second);
        succeed("snapshot", "create", source, "v@two");
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

    private static long number(Map<String, Object> json, String key) {
        return ((Number) json.get(key)).longValue();
    }

    private void assertHolds(String name, Path expected) throws IOException {
        Path out = directory.resolve("out");
        succeed("export", target, name, out);
        assertEquals(-1, Files.mismatch(expected, out));
    }

    @Test
    void shouldReceiveWhatWasSentToAFile() throws IOException {
        Path whole = directory.resolve("whole.kvms");
        Path step = directory.resolve("step.kvms");
        Map<String, Object> sent = succeed("send", source, "v@one", whole, "--json").json();
        assertEquals(BYTES / PAGE, number(sent, "pages"));
        assertEquals(Files.size(whole), number(sent, "streamBytes"));
        Map<String, Object> changes = succeed("send", source, "v@touched", step, "--from", "@one", "--json").json();
        assertEquals("v@one", changes.get("from"));
        assertEquals(1, number(changes, "pages"));
        Map<String, Object> received = succeed("receive", target, "w", whole, "--json").json();
        assertEquals("w@one", received.get("snapshot"));
        assertEquals(BYTES / PAGE, number(received, "pages"));
        succeed("receive", target, "w", step);
        assertHolds("w@one", first);
        assertHolds("w@touched", first);
        assertHolds("w", first);
        assertTrue(succeed("check", target).out().contains("clean"));
        assertTrue(fail("receive", target, "w", whole).contains("another name"));
        assertTrue(fail("receive", target, "w", step).contains("received already"));
        assertTrue(fail("receive", target, "x", step).contains("v@one"));
        assertTrue(fail("send", source, "v@one", step, "--from", "v@two").contains("older"));
        assertTrue(fail("send", source, "v@none", directory.resolve("none")).contains("none"));
        assertFalse(Files.exists(directory.resolve("none")));
    }

    /** Two processes and a pipe, as an operator does it. */
    @Test
    void shouldReceiveWhatWasSentThroughAPipe() throws IOException, InterruptedException {
        for (List<String> arguments : List.of(List.of("v@one"), List.of("v@two", "--from", "v@one"))) {
            List<Process> pipeline = ProcessBuilder.startPipeline(List.of(
                    command(Stream.concat(Stream.of("send", source.toString()), arguments.stream()), "send.err"),
                    command(Stream.of("receive", target.toString(), "w", "--json"), "receive.err")
                            .redirectOutput(directory.resolve("receive.out").toFile())));
            for (Process process : pipeline) {
                assertEquals(0, process.waitFor(), () -> errors());
            }
        }
        assertHolds("w@one", first);
        assertHolds("w", second);
    }

    private ProcessBuilder command(Stream<String> arguments, String errors) {
        Stream<String> java = Stream.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName());
        return new ProcessBuilder(Stream.concat(java, arguments).toList())
                .redirectError(directory.resolve(errors).toFile());
    }

    private String errors() {
        try {
            return Files.readString(directory.resolve("send.err")) + Files.readString(directory.resolve("receive.err"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void shouldChangeNothingWhenAStreamIsDamagedOrCutOffAndGoOnWithTheRightOne() throws IOException {
        Path stream = directory.resolve("stream");
        succeed("send", source, "v@one", stream);
        byte[] bytes = Files.readAllBytes(stream);
        Path cut = Files.write(directory.resolve("cut"), Arrays.copyOf(bytes, bytes.length - 100_000));
        assertTrue(fail("receive", target, "w", cut).contains("cut off"));
        byte[] damaged = bytes.clone();
        damaged[bytes.length - 50_000] ^= 1;
        Path broken = Files.write(directory.resolve("damaged"), damaged);
        assertTrue(fail("receive", target, "w", broken).contains("checksum"));
        assertTrue(fail("receive", target, "w", first).contains("no stream"));
        assertTrue(fail("receive", target, "w", directory.resolve("missing")).contains("missing"));
        assertEquals(List.of(), succeed("volume", "list", target, "--json").json().get("volumes"));
        Map<String, Object> received = succeed("receive", target, "w", stream, "--json").json();
        assertTrue(number(received, "resumedBytes") > 1_000_000, received.toString());
        assertHolds("w", first);
        assertEquals(false, succeed("receive", target, "w", "--abandon", "--json").json().get("abandoned"));
        fail("receive", target, "x", cut);
        assertEquals(true, succeed("receive", target, "x", "--abandon", "--json").json().get("abandoned"));
    }

    @Test
    void shouldDropChangesOnlyWhenForced() throws IOException {
        Path whole = directory.resolve("whole");
        Path step = directory.resolve("step");
        succeed("send", source, "v@one", whole);
        succeed("send", source, "v@two", step, "--from", "@one");
        succeed("receive", target, "w", whole);
        succeed("import", target, "w", second);
        assertTrue(fail("receive", target, "w", step).contains("was changed since"));
        assertHolds("w", second);
        succeed("receive", target, "w", step, "--force");
        assertHolds("w@one", first);
        assertHolds("w@two", second);
        assertHolds("w", second);
    }

    @Test
    void shouldListTheRangesThatDiffer() throws IOException {
        assertEquals("0 4096 data\n", succeed("diff", source, "v@one", "v@touched").out());
        Map<String, Object> json = succeed("diff", source, "v@one", "v@touched", "--json").json();
        assertEquals(List.of(Map.of("offset", 0, "lengthBytes", PAGE, "hole", false)), json.get("ranges"));
        assertEquals(PAGE, number(json, "changedBytes"));
        assertEquals("", succeed("diff", source, "v@two", "v").out());
        succeed("volume", "resize", source, "v", "--size", "1M");
        Map<String, Object> summary = succeed("diff", source, "v@two", "v", "--summary", "--json").json();
        assertEquals(1 << 20, number(summary, "holeBytes"));
        assertEquals(0, number(summary, "changedBytes"));
        assertEquals(1, number(summary, "rangeCount"));
        assertFalse(summary.containsKey("ranges"));
        assertTrue(succeed("diff", source, "v@one", "v@two", "--summary").out().contains("2 MiB"));
        succeed("import", source, "other", first);
        assertTrue(fail("diff", source, "v@one", "other").contains("nothing in common"));
    }
}
