package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class LimitedChildTest {

    private static final List<String> FLAGS = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx32m");

    @TempDir
    Path directory;

    private Path data;

    private LimitedChild childThatDied() throws Exception {
        final LimitedChild child = new LimitedChild(directory, List.of(), FLAGS);
        data = TestStores.dataFile(directory.resolve("s" + child.ask("new", LimitedChild.ANSWER_SECONDS)));
        assertEquals("works", child.ask("cycle", LimitedChild.ANSWER_SECONDS));
        assertEquals("good 3", child.ask("check", LimitedChild.ANSWER_SECONDS));
        Files.copy(data, directory.resolve("older"));
        assertEquals("works", child.ask("cycle", LimitedChild.ANSWER_SECONDS));
        child.kill();
        return child;
    }

    @Test
    void shouldGoOnWithWhatAProcessHadAcknowledgedWhenItDied() throws Exception {
        try (LimitedChild child = childThatDied()) {
            child.restart();
            assertEquals("good 6", child.ask("check", LimitedChild.ANSWER_SECONDS));
        }
    }

    @Test
    void shouldNoticeThatWhatWasAcknowledgedInTheCycleOfTheDeathIsGone() throws Exception {
        try (LimitedChild child = childThatDied()) {
            Files.copy(directory.resolve("older"), data, StandardCopyOption.REPLACE_EXISTING);
            child.restart();
            final String checked = child.ask("check", LimitedChild.ANSWER_SECONDS);
            assertTrue(checked.startsWith(LimitedStore.WRONG), checked);
            assertTrue(checked.contains("commit 3 is there, acknowledged=6 issued=6"), checked);
        }
    }
}
