package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChildJvmTest {

    private static final String COMMIT = "kvmdb.commit";

    @TempDir
    private Path directory;

    private final String commitBefore = System.getProperty(COMMIT);

    /** Prints a property of its virtual machine. */
    static final class Teller {
        private Teller() {}

        public static void main(String[] arguments) {
            System.out.println(System.getProperty(arguments[0]));
        }
    }

    @BeforeEach
    void nameCommit() {
        System.setProperty(COMMIT, "abc123");
    }

    @AfterEach
    void restoreCommit() {
        if (commitBefore == null) {
            System.clearProperty(COMMIT);
        } else {
            System.setProperty(COMMIT, commitBefore);
        }
    }

    private String told(String property) throws IOException, InterruptedException {
        Path output = directory.resolve("output");
        try (ChildJvm child = ChildJvm.start(
                output, List.of(), System.getProperty("java.class.path"), Teller.class, List.of(property))) {
            assertEquals(0, child.waitFor());
        }
        return Files.readString(output).strip();
    }

    @Test
    void shouldUnpackWhereTheParentDoes() throws Exception {
        String before = System.setProperty("java.io.tmpdir", directory.toString());
        try {
            assertEquals(directory.toString(), told("java.io.tmpdir"));
        } finally {
            System.setProperty("java.io.tmpdir", before);
        }
    }

    @Test
    void shouldSayWhereToUnpackTheNativeLibraryWhenItCannot() throws Exception {
        Path output = directory.resolve("output");
        Path nowhere = directory.resolve("nowhere");
        List<String> words = List.of("create", directory.resolve("store").toString());
        try (ChildJvm child = ChildJvm.start(
                output, List.of("-Djava.io.tmpdir=" + nowhere), System.getProperty("java.class.path"), Main.class, words)) {
            assertEquals(1, child.waitFor());
            assertTrue(child.lastWords().contains("from " + nowhere + ": "), child.lastWords());
            assertTrue(child.lastWords().contains("-Djava.io.tmpdir=DIR"), child.lastWords());
        }
    }

    @Test
    void shouldKnowTheCommitWhenTheParentKnowsIt() throws Exception {
        assertEquals("abc123", told(COMMIT));
    }
}
