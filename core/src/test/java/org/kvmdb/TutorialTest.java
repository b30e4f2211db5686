package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's program, compiled. */
class TutorialTest {

    private static final Path SOURCE = Path.of("src/test/java/org/kvmdb/TutorialTest.java");

    @TempDir
    Path path;

    @Test
    void shouldBeAsShortAsTheReadmeSays() {
        // begin
        try (Store store = Store.create(path, StoreOptions.defaults().withCacheSizeBytes(1L << 30))) {
            Volume orders = store.createVolume("orders", VolumeOptions.ofSizeBytes(64L << 30));
            MemorySegment memory = orders.memory();
            memory.set(ValueLayout.JAVA_LONG, 0L, 42L);
            store.commit();
        }
        // end
        try (Store store = Store.open(path, StoreOptions.defaults())) {
            assertEquals(42L, store.volume("orders").memory().get(ValueLayout.JAVA_LONG, 0L));
        }
    }

    @Test
    void shouldBeWhatTheReadmeShows() throws IOException {
        final String source = Files.readString(SOURCE);
        final String program = source.substring(source.indexOf("// begin") + 9, source.indexOf("        // end"))
                .lines()
                .map(line -> line.substring(8))
                .collect(Collectors.joining("\n"));
        final String readme = Files.readString(Path.of("../README.md"));
        assertTrue(readme.contains(program), () -> "README.md lacks the program:\n" + program);
    }
}
