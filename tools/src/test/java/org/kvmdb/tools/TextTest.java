package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextTest {

    @ParameterizedTest
    @CsvSource({
        "0, 0 ns",
        "999, 999 ns",
        "2700, 2.7 µs",
        "1234567, 1.23 ms",
        "999999999, 1 s",
        "61000000000, 61 s",
        "599000000000, 599 s",
        "605000000000, 10 min 05 s",
        "9300000000000, 2 h 35 min"
    })
    void shouldChooseTheUnitWhenADurationIsPrinted(long nanos, String text) {
        assertEquals(text, Durations.format(nanos));
    }

    @Test
    void shouldAlignValuesWhenFactsArePrinted() {
        Facts facts = new Facts()
                .text("store", "store", "/s")
                .size("on disk", "fileBytes", 1 << 20)
                .text(null, "hidden", "x");
        assertEquals("  store    /s%n  on disk  1 MiB%n".formatted(), facts.asText());
    }

    @Test
    void shouldShowWhatATerminalWouldObey() {
        assertEquals("  volume  a\\u001b[2Jb\\u202e ñ%n".formatted(), new Facts().text("volume", "name", "a\u001b[2Jb\u202e ñ").asText());
        assertEquals(Map.of("name", "a\u0007"), new Facts().text("volume", "name", "a\u0007").asMap());
    }

    @Test
    void shouldCountOneThing() {
        assertEquals("1 defect", Wording.counted(1, "defect"));
        assertEquals("0 defects", Wording.counted(0, "defect"));
        assertEquals("2,000 defects", Wording.counted(2000, "defect"));
    }

    @Test
    void shouldKeepExactValuesWhenFactsAreForPrograms() {
        Facts facts = new Facts()
                .size("size", "sizeBytes", 1_048_577)
                .number("ratio", "ratio", Double.NaN, "")
                .flag("ok", "ok", true)
                .list("rows", List.of(new Facts().count("n", "n", 3)));
        Map<String, Object> map = facts.asMap();
        assertEquals(1_048_577L, map.get("sizeBytes"));
        assertEquals(null, map.get("ratio"));
        assertEquals(true, map.get("ok"));
        assertEquals(List.of(Map.of("n", 3L)), map.get("rows"));
    }

    @Test
    void shouldAlignColumnsWhenRowsArePrinted() {
        List<Facts> rows = List.of(
                new Facts().text("volume", "name", "a").count("pages", "pages", 5),
                new Facts().text("volume", "name", "orders").count("pages", "pages", 12_345));
        assertEquals("  volume   pages%n  a            5%n  orders  12,345%n".formatted(), TextTable.of(rows));
        assertEquals("", TextTable.of(List.of()));
    }

    @Test
    void shouldGoOnBelowWhenTheLastColumnIsTooLong() {
        List<Facts> rows = List.of(
                new Facts().text("n", "n", "a").text("what", "what", "one two three"),
                new Facts().text("n", "n", "b").text("what", "what", "fourfourfour"));
        assertEquals(
                """
                  n  what
                  a  one two
                     three
                  b  fourfourf
                     our
                """.lines().map(line -> line + System.lineSeparator()).reduce("", String::concat),
                TextTable.of(rows, 14));
    }

    @Test
    void shouldVisitEachPageOnceWhenTheOrderIsRandom() {
        for (long pages : new long[] {1, 2, 7, 64, 1000, 4096, 35_635}) {
            PageOrder order = new PageOrder(pages, 3);
            boolean[] seen = new boolean[(int) pages];
            for (long position = 0; position < pages; position++) {
                seen[(int) order.page(position)] = true;
            }
            for (boolean visited : seen) {
                assertEquals(true, visited);
            }
        }
    }
}
