package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Command;

class UsageTest {

    @ParameterizedTest
    @ValueSource(strings = {
        "",
        "nonsense",
        "volume",
        "create",
        "create /s --cache 1Q",
        "create /s --cache 1K",
        "create /s --max-size 1M",
        "create /s --segment-size 3M",
        "create /s --segment-size 64G",
        "create /s extra",
        "volume create /s name",
        "volume create /s name --size 0",
        "volume create /s name --size 1G --page-size 5K",
        "volume create /s name --size 1G --page-size 64G",
        "volume resize /s name --size 0",
        "import /s name",
        "import /s name file --page-size 1K",
        "export /s name - --json",
        "export /s name file --length 0",
        "snapshot",
        "snapshot create /s",
        "snapshot create /s v",
        "snapshot create /s @a",
        "snapshot create /s v@",
        "clone /s @a w",
        "send /s v@a file --from v@",
        "snapshot create /s v@a w@b",
        "snapshot create /s v@a v@a",
        "snapshot delete /s",
        "snapshot delete /s v",
        "snapshot rollback /s v",
        "clone /s v@a",
        "clone /s v w",
        "volume quota /s v",
        "diff /s v@a",
        "diff /s v w@a",
        "send /s",
        "send /s v file",
        "send /s v@a - --json",
        "send /s v@a file --from b",
        "receive /s",
        "receive /s v file --abandon",
        "receive /s v --abandon --force",
        "scrub /s --rate 0",
        "info /s --cache",
        "check",
        "check /s /t",
        "stats",
        "stats /s --json --prometheus",
        "top /s --interval 0.1",
        "top /s --count 0",
        "bench nonsense",
        "bench --rounds 0",
        "crashtest --only nonsense",
        "crashtest --quick --release",
        "crashtest --threads 0",
        "crashtest --report report.pdf",
        "crashtest run",
        "crashtest run nonsense",
        "crashtest run bank --checker C",
        "crashtest run --workload W",
        "crashtest run bank --steps 0",
        "crashtest kill --cycles 0",
        "crashtest kill --minutes 2000000000",
        "crashtest --only fuzz --option target=nope",
        "fuzz",
        "fuzz --minutes 0",
        "fuzz --minutes -1",
        "fuzz --minutes 1e300",
        "fuzz --minutes NaN",
        "fuzz --minutes 1 --target nope",
        "crashtest kill --cycles 5 --minutes 1",
        "demo --kills -1",
        "demo --threads 0",
        "demo --page-size 5K"
    })
    void shouldExitWithTwoAndOneSentenceWhenUsedWrongly(String line) {
        CommandRun run = CommandRun.of((Object[]) (line.isEmpty() ? new String[0] : line.split(" ")));
        assertEquals(2, run.exitCode(), run.err());
        assertTrue(run.isOneSentence(), run.err());
        assertTrue(run.err().contains("--help)"), run.err());
    }

    @Test
    void shouldNameTheTargetsWhenThereIsNoSuch() {
        CommandRun run = CommandRun.of("fuzz", "--minutes", "1", "--target", "nope");
        assertTrue(run.err().startsWith("kvmdb: no target 'nope'; there are ") && run.err().contains("nodes"), run.err());
    }

    @Test
    void shouldSuggestWhenACommandIsMistyped() {
        assertTrue(CommandRun.of("creat", "/s").err().contains("did you mean 'create'?"));
        assertTrue(CommandRun.of("snapshots", "list").err().contains("did you mean 'snapshot'?"));
        assertTrue(CommandRun.of("volume", "creat", "/s").err().contains("did you mean 'create'?"));
        assertTrue(CommandRun.of("info", "/s", "--jsn").err().contains("no option '--jsn'; did you mean '--json'?"));
    }

    @Test
    void shouldNameTheCommandsWhenNoneIsNear() {
        for (String word : List.of("nonsense", "ls")) {
            String said = CommandRun.of(word).err();
            assertTrue(said.startsWith("kvmdb: no command '%s'; there are create, info, ".formatted(word)), said);
            assertFalse(said.contains("did you mean") || said.contains("rehearse"), said);
        }
        String said = CommandRun.of("volume", "nonsense").err();
        assertTrue(said.startsWith("kvmdb: no command 'nonsense'; there are create, list, resize, "), said);
        assertTrue(CommandRun.of("info", "/s", "--frobnicate").err().startsWith("kvmdb: no option '--frobnicate' (see"));
    }

    @Test
    void shouldPrintTheHelpWhenThatIsTheCommand() {
        assertEquals(CommandRun.of("--help"), CommandRun.of("help"));
        assertEquals(CommandRun.of("create", "--help"), CommandRun.of("help", "create"));
        assertEquals(CommandRun.of("volume", "create", "--help"), CommandRun.of("help", "volume", "create"));
        assertEquals(2, CommandRun.of("help", "nonsense").exitCode());
    }

    @Test
    void shouldShowExamplesWhenAskedForHelp() {
        for (String line : List.of(
                "", "create", "info", "volume", "volume create", "volume list", "volume resize", "volume quota",
                "volume delete", "snapshot", "snapshot create", "snapshot list", "snapshot delete", "snapshot rollback",
                "clone", "diff", "send", "receive", "import", "export", "check", "space", "scrub", "gc", "checkpoint",
                "stats", "top", "demo", "bench", "crashtest", "crashtest run", "crashtest kill")) {
            CommandRun run = CommandRun.of((Object[]) (line + " --help").strip().split(" "));
            assertEquals(0, run.exitCode());
            assertTrue(run.out().contains("Example") && run.out().contains("  kvmdb "), run.out());
        }
    }

    /** Whatever stands first, the others are not there; an option before it, and all are. */
    @Test
    void shouldShowTheSameHelpWhenACommandStandsFirst() {
        Main.COMMANDS.forEach((name, command) -> {
            assertEquals(name, command.getAnnotation(Command.class).name());
            assertEquals(CommandRun.of(Main.STACKTRACE, name, "--help"), CommandRun.of(name, "--help"));
        });
    }

    @Test
    void shouldNotShowWhatIsForTheToolItselfWhenAskedForHelp() {
        String help = CommandRun.of("--help").out();
        assertTrue(!help.contains("demo-worker") && !help.contains("bench-writer"), help);
    }

    @Test
    void shouldSayWhichOptionIsTooSmall() {
        assertTrue(CommandRun.of("create", "/s", "--max-size", "1").err().contains("--max-size is at least 2M"));
    }

    @Test
    void shouldNameTheOptionAndNotThePropertyOfTheApi() {
        for (List<String> example : List.of(
                List.of("create /s --cache 1K", "--cache must be from 4 MiB to 2 TiB ("),
                List.of("create /s --segment-size 3M", "--segment-size must be a power of two from 256 KiB to 16 MiB ("),
                List.of("volume create /s v --size 0", "--size must be from 1 to 2^36 pages ("),
                List.of("volume resize /s v --size 0", "--size must be from 1 to 2^36 pages ("),
                List.of("import /s v f --page-size 1K", "--page-size must be a power of two from 4096 to 65536 ("))) {
            CommandRun run = CommandRun.of((Object[]) example.getFirst().split(" "));
            assertTrue(run.err().startsWith("kvmdb: " + example.getLast()), run.err());
        }
    }

    @Test
    void shouldSayWhatIsMissingInTheNameOfASnapshot() {
        assertTrue(CommandRun.of("snapshot", "create", "/s", "@a").err().contains("'@a' names no volume; write"));
        assertTrue(CommandRun.of("snapshot", "create", "/s", "v@").err().contains("'v@' names no snapshot; write"));
    }

    @Test
    void shouldNotSendTheTerminalWhatIsInAName() {
        CommandRun run = CommandRun.of("info", "/no\u001b[2Jwhere");
        assertEquals(1, run.exitCode());
        assertTrue(run.err().contains("/no\\u001b[2Jwhere"), run.err());
    }

    @Test
    void shouldNotTakeAnEmptyNameForTheWorkingDirectory() {
        for (String command : List.of("create", "info", "check", "stats")) {
            CommandRun run = CommandRun.of(command, "");
            assertEquals(2, run.exitCode(), run.err());
            assertTrue(run.isOneSentence() && run.err().contains("is empty"), run.err());
        }
    }

    @Test
    void shouldNotSpeakOfIndexesAndTypes() {
        assertTrue(CommandRun.of("info", "/s", "extra").err().startsWith("kvmdb: there is no use for 'extra' (see"));
        assertTrue(CommandRun.of("top", "/s", "--interval", "x").err().contains("'x' is not a number (see"));
        assertTrue(CommandRun.of("bench", "--rounds", "1.5").err().contains("'1.5' is not a whole number (see"));
    }
}
