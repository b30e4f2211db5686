package org.kvmdb;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Runs {@link StarvedStore} in a process of its own. */
@Timeout(180)
class StarvedStoreTest {

    @TempDir
    Path directory;

    @Test
    void shouldKeepNobodyWaitingWhenACallFailedForWantOfMemory() throws Exception {
        try (ChildJvm child = ChildJvm.start(
                directory, List.of("-Xms12m", "-Xmx12m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"), StarvedStore.class, directory)) {
            System.out.println(child.awaitSuccess(150));
        }
    }
}
