package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Faults, evictions and commits under each collector, with a watchdog outside. */
@Timeout(150)
class GcStormTest {

    private static final int SECONDS = 6;

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"UseG1GC", "UseZGC", "UseParallelGC", "UseSerialGC"})
    void shouldNeitherHangNorReadAWrongByte(String collector) throws Exception {
        try (ChildJvm child = ChildJvm.start(
                directory,
                List.of("-XX:+" + collector, "-Xmx192m"),
                GcStorm.class,
                directory.resolve("s"),
                SECONDS,
                20260117)) {
            final String output = child.awaitSuccess(SECONDS + 60);
            assertTrue(output.contains("ok faults="), output);
        }
    }
}
