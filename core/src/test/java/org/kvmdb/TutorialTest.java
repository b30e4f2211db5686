package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's program, compiled. */
class TutorialTest {

    private static final Path SOURCE = Path.of("src/test/java/org/kvmdb/TutorialTest.java");

    @TempDir
    Path path;

    @Test
    void shouldBeAsShortAsTheReadmeSays() {
        // begin of commit
        try (Store store = Store.create(path, StoreOptions.defaults().withCacheSizeBytes(1L << 30))) {
            Volume orders = store.createVolume("orders", VolumeOptions.ofSizeBytes(64L << 30));
            MemorySegment memory = orders.memory();
            memory.set(ValueLayout.JAVA_LONG, 0L, 42L);
            store.commit();
        }
        // end of commit
        try (Store store = Store.open(path, StoreOptions.defaults())) {
            assertEquals(42L, store.volume("orders").memory().get(ValueLayout.JAVA_LONG, 0L));
        }
    }

    @Test
    void shouldLookIntoThePastGoBackAndClone() {
        try (Store store = Store.create(path, StoreOptions.defaults())) {
            Volume orders = store.createVolume("orders", VolumeOptions.ofSizeBytes(64L << 30));
            orders.memory().set(ValueLayout.JAVA_LONG, 0L, 42L);
            // begin of snapshots
            Snapshot before = orders.snapshot("before-import"); // commits, and keeps this moment for ever
            orders.memory().set(ValueLayout.JAVA_LONG, 0L, 7L);
            long then = before.memory().get(ValueLayout.JAVA_LONG, 0L); // 42
            Volume trial = before.cloneAs("orders-trial"); // a volume of its own; both share what neither changes
            orders.rollbackTo(before); // 42 again
            // end of snapshots
            assertEquals(42L, then);
            assertEquals(42L, trial.memory().get(ValueLayout.JAVA_LONG, 0L));
            assertEquals(42L, orders.memory().get(ValueLayout.JAVA_LONG, 0L));
        }
    }

    @Test
    void shouldBeWhatTheReadmeShows() throws IOException {
        final String readme = Files.readString(Path.of("../README.md"));
        for (String name : List.of("commit", "snapshots")) {
            final String program = program(name);
            assertTrue(readme.contains(program), () -> "README.md lacks the program:\n" + program);
        }
    }

    private static String program(String name) throws IOException {
        final String source = Files.readString(SOURCE);
        final String begin = "// begin of " + name + "\n";
        final int from = source.indexOf(begin) + begin.length();
        return source.substring(from, source.indexOf("// end of " + name, from)).stripIndent().stripTrailing();
    }
}
