package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
    void shouldKnowTheCommitWhenTheParentKnowsIt() throws Exception {
        assertEquals("abc123", told(COMMIT));
    }
}
