package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RehearseCommandTest {

    @Test
    void shouldRunEveryCommandAndLeaveNothingWhenItRehearses(@TempDir Path parent) throws Exception {
        CommandRun run = CommandRun.of("rehearse", parent);
        assertEquals(0, run.exitCode(), run.err());
        List<String> failed =
                run.out().lines().filter(line -> !line.startsWith("0 ")).toList();
        assertEquals(List.of("2 nonsense", "1 create %/store"), failed);
        assertTrue(run.out().lines().count() > 20, run.out());
        try (var left = Files.list(parent)) {
            assertEquals(List.of(), left.toList());
        }
    }
}
