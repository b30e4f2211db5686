package org.kvmdb.tools.crashtest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.tools.CommandRun;

class CrashtestCommandTest {

    @TempDir
    private Path directory;

    private CommandRun run(Object... more) {
        List<Object> words = new ArrayList<>(List.of("crashtest", "--only", "fake", "--dir", directory));
        words.addAll(List.of(more));
        return CommandRun.of(words.toArray());
    }

    @Test
    void shouldReportWhatWasTriedWhenEverythingHeld() throws IOException {
        CommandRun run = run("--seed", 7);
        assertEquals(0, run.exitCode(), run.err());
        for (String words : List.of(
                "everything held",
                "1,000",
                "torn at 512 bytes",
                "skips a flush",
                "durable: commit 3 is gone",
                "is there",
                "CrashMonkey",
                "processor")) {
            assertTrue(run.out().contains(words), () -> words + " is not in:\n" + run.out());
        }
        assertTrue(run.out().lines().allMatch(line -> line.length() <= 100), run.out());
        try (Stream<Path> left = Files.list(directory)) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void shouldTryMoreWhenItIsForARelease() throws IOException {
        assertEquals(1_000_000, cases(run("--release", "--json")));
        assertEquals(10, cases(run("--quick", "--json")));
    }

    private static long cases(CommandRun run) throws IOException {
        return ((Number) ((Map<?, ?>) run.json().get("summary")).get("cases")).longValue();
    }

    @Test
    void shouldHaveAnotherTraceWhenTheSeedIsAnother() throws IOException {
        assertEquals(traceHash(run("--seed", 7, "--json")), traceHash(run("--seed", 7, "--json", "--threads", 1)));
        assertNotEquals(traceHash(run("--seed", 7, "--json")), traceHash(run("--seed", 8, "--json")));
    }

    private static Object traceHash(CommandRun run) throws IOException {
        return ((Map<?, ?>) ((List<?>) run.json().get("campaigns")).getFirst()).get("traceHash");
    }

    @Test
    void shouldFailAndSayHowToRepeatItWhenSomethingWasFound() {
        CommandRun run = run("--option", "finds=page 3 is stale");
        assertEquals(1, run.exitCode());
        assertTrue(run.err().contains("1 finding"), run.err());
        String finding = run.out().substring(run.out().indexOf("FINDING 1 of 1"));
        for (String words : List.of(
                "page 3 is stale", "    put 1\n    commit", "    kvmdb crashtest --only fake --option state=5")) {
            assertTrue(finding.contains(words), finding);
        }
    }

    @Test
    void shouldFailWhenAPlantedBugWasNotNoticed() {
        CommandRun run = run("--option", "misses=forgets a record");
        assertEquals(1, run.exitCode());
        assertTrue(run.err().contains("1 planted bug not noticed"), run.err());
        assertTrue(run.out().contains("NOTHING"), run.out());
    }

    @Test
    void shouldSayHowToRepeatItWhenACampaignBreaksDown() {
        CommandRun run = run("--quick", "--option", "breaks=on purpose");
        assertEquals(1, run.exitCode());
        assertTrue(run.out().contains("on purpose"), run.out());
        assertTrue(run.out().contains("FakeCampaign.run"), run.out());
        assertTrue(
                run.out().contains("kvmdb crashtest --only fake --seed 20260117 --quick --option breaks=on purpose"),
                run.out());
    }

    @Test
    void shouldNameTheCampaignsWhenAsked() {
        CommandRun run = run("--list");
        assertEquals(0, run.exitCode(), run.err());
        assertTrue(run.out().contains("Tries nothing at all."), run.out());
    }

    @Test
    void shouldWriteAPageThatNeedsNothingElse() throws Exception {
        Path file = directory.resolve("reports").resolve("report.html");
        CommandRun run = run("--report", file, "--option", "finds=x < y & z", "--option", "misses=forgets");
        assertEquals(1, run.exitCode(), run.err());
        String page = Files.readString(file);
        for (String words : List.of(
                "x &lt; y &amp; z", "lost &lt;write&gt;", "put 1\ncommit", "--option state=5", "prefers-color-scheme: dark")) {
            assertTrue(page.contains(words), () -> words + " is not in:\n" + page);
        }
        for (String words : List.of("<script", "http", "src=", "href=")) {
            assertTrue(!page.contains(words), () -> words + " is in:\n" + page);
        }
        String picture = page.substring(page.indexOf("<svg"), page.indexOf("</svg>") + "</svg>".length());
        assertEquals(
                2,
                DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(new ByteArrayInputStream(
                                picture.getBytes(StandardCharsets.UTF_8)))
                        .getElementsByTagName("rect")
                        .getLength());
        assertTrue(Files.readString(file.resolveSibling("report.txt")).contains("x < y & z"));
    }

    @Test
    void shouldWriteTheTextAloneWhenOnlyThatIsWanted() throws IOException {
        Path file = directory.resolve("report.txt");
        assertEquals(0, run("--report", file).exitCode());
        assertTrue(Files.readString(file).contains("everything held"));
        assertTrue(Files.notExists(directory.resolve("report.html")));
    }
}
