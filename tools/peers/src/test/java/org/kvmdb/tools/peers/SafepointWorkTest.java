package org.kvmdb.tools.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafepointWorkTest {

    @TempDir
    private Path directory;

    @Test
    void shouldTakeTheCollectionsWhenTheLogHasOthers() throws Exception {
        Path log = Files.writeString(directory.resolve("log"), """
                [0.1s][info][safepoint] Safepoint "ICBufferFull", Time since last: 1 ns, Reaching safepoint: 999 ns, At safepoint: 2 ns
                [0.2s][info][safepoint] Safepoint "SerialGCCollect", Time since last: 1 ns, Reaching safepoint:   5200 ns, At safepoint: 2 ns
                [0.3s][info][safepoint] Safepoint "SerialGCCollect", Time since last: 1 ns, Reaching safepoint: 31 ns, At safepoint: 2 ns
                """);
        assertArrayEquals(new long[] {31, 5200}, SafepointWork.reachingNanos(log));
    }
}
