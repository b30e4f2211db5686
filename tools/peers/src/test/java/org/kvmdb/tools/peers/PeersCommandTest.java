package org.kvmdb.tools.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.tools.Main;

class PeersCommandTest {

    @TempDir
    private Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        List<String> all = Stream.concat(Stream.of("bench", "peers"), Stream.of(arguments)).toList();
        return Main.run(new PrintWriter(out), new PrintWriter(err), all.toArray(String[]::new));
    }

    @SuppressWarnings("unchecked")
    private static List<Map<String, Object>> list(Map<String, Object> json, String key) {
        return (List<Map<String, Object>>) json.get(key);
    }

    /** Every work by every system, so small that the figures mean nothing. */
    @Test
    void shouldMeasureEveryWorkWhenTiny() throws Exception {
        Path charts = directory.resolve("charts");
        int code = run(
                "--json", "--rounds", "1", "--seconds", "0.05", "--limit", "160M", "--gib", "0.376",
                "--dir", directory.toString(), "--charts", charts.toString());
        assertEquals(0, code, err::toString);
        Map<String, Object> json = JSON.std.mapFrom(out.toString());
        Map<?, ?> machine = (Map<?, ?>) json.get("machine");
        assertNotNull(machine.get("compression"));
        assertNotNull(machine.get("limitBytes"));
        assertEquals(PeerSystem.values().length, list(json, "systems").size());
        boolean limited = !machine.get("limitedBy").equals("nothing");
        List<Map<String, Object>> unexpected = list(json, "failures").stream()
                .filter(failure -> !failure.get("system").equals("all"))
                .toList();
        assertEquals(List.of(), unexpected);
        for (Work work : Works.all()) {
            if (limited || !work.needsLimit()) {
                assertMeasured(json, work);
                assertDrawn(charts.resolve("peers-" + work.name() + ".svg"));
            }
        }
        Map<String, Object> figure = list(json, "figures").getFirst();
        assertTrue(figure.keySet().containsAll(List.of("name", "value", "peer", "peerValue", "ratio", "aim", "met")));
    }

    private static void assertMeasured(Map<String, Object> json, Work work) {
        List<Map<String, Object>> rows = list(json, "results").stream()
                .filter(row -> row.get("work").equals(work.name()))
                .toList();
        assertEquals(
                work.systems().stream().map(PeerSystem::label).collect(Collectors.toSet()),
                rows.stream().map(row -> row.get("system")).collect(Collectors.toSet()),
                work.name());
        for (Map<String, Object> row : rows) {
            assertTrue(((Number) row.get("median")).doubleValue() > 0, row::toString);
            assertEquals(1, ((List<?>) row.get("rounds")).size());
            assertNotNull(row.get("unit"));
        }
    }

    private static void assertDrawn(Path svg) throws Exception {
        var document = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(Files.newInputStream(svg));
        assertTrue(document.getElementsByTagName("rect").getLength() > 1, svg::toString);
    }

    @Test
    void shouldSayWhatThereIsWhenANameIsWrong() {
        assertEquals(2, run("--only", "walk"));
        assertTrue(err.toString().contains("transactions"), err::toString);
        assertEquals(2, run("--systems", "dbase"));
        assertTrue(err.toString().contains("rocksdb"), err::toString);
        assertEquals(2, run("--limit", "1M"));
        assertFalse(err.toString().contains("\tat "));
    }

    @Test
    void shouldTellOfEachCaseOnceWhenItHasSeveralFigures() {
        for (Work work : Works.all()) {
            List<String> cases = work.cases().stream().map(Case::name).toList();
            assertEquals(cases.stream().distinct().toList(), cases);
            List<String> figures = work.goals().stream().map(Goal::name).toList();
            assertEquals(figures.stream().distinct().toList(), figures);
        }
    }

    private Settings settings(long largePages) {
        return new Settings(
                directory, directory, 2, 1, largePages, 1, 1, List.of(Works.of("load")), List.of(PeerSystem.values()));
    }

    @Test
    void shouldLoadFourGibibytesAtMostWhenMoreIsRead() {
        long fourGibibytes = 1L << 20;
        assertEquals(fourGibibytes, settings(2 * fourGibibytes).loadPages());
        assertEquals(1, settings(1).loadPages());
    }

    @Test
    void shouldTellOnceWhenOneSystemFails() {
        Results results = new Results(1, OptionalDouble.empty());
        results.fail("load", PeerSystem.H2, "no");
        results.fail("load", PeerSystem.H2, "no");
        results.add("load-seconds", PeerSystem.KVMDB, 0, 3);
        Report report = new Report(settings(1), results);
        assertEquals(1, report.failures().size());
        assertEquals(1, report.allRows().size());
        assertTrue(report.text().contains("no"));
    }
}
