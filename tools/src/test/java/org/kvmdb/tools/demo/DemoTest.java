package org.kvmdb.tools.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.tools.CommandRun;

/** The demo on a small piece of the real input, kills and all. */
class DemoTest {

    @TempDir
    private Path directory;

    @Test
    void shouldProveEveryKillWhenTheDemoRuns() throws IOException {
        CommandRun run = CommandRun.of("demo", "--quick", "--kills", 3, "--seed", 20_251, "--dir", directory, "--json");
        assertEquals(0, run.exitCode(), run.err());
        Map<String, Object> facts = run.json();
        assertEquals(true, facts.get("proven"));
        List<?> kills = (List<?>) facts.get("kills");
        assertEquals(3, kills.size());
        for (Object kill : kills) {
            assertTrue(number(kill, "commits") >= 50, kill.toString());
            assertEquals(4096 + 4, number(kill, "pagesCompared"));
        }
        assertTrue(number(facts.get("faultPass"), "readFaults") > 1000, facts.toString());
        assertEquals(0, number(facts.get("faultPass"), "badPages"));
        try (Stream<Path> left = Files.list(directory)) {
            assertEquals(0, left.count());
        }
    }

    private static long number(Object facts, String key) {
        return ((Number) ((Map<?, ?>) facts).get(key)).longValue();
    }
}
