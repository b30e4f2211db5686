package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGKILL at random times, over and over on the same store, also while it recovers from the last one: what was
 * acknowledged is there, of what was not nothing is there in part. Another seed: {@code -Dkvmdb.kill.seed=…}, more cycles:
 * {@code -Dkvmdb.kill.cycles=…}.
 */
@Timeout(300)
class KillTest {

    private static final long SEED = Long.getLong("kvmdb.kill.seed", 20260117);
    private static final int CYCLES = Integer.getInteger("kvmdb.kill.cycles", 60);

    private static final List<String> FAST_START =
            List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m", "-Xshare:auto");

    @TempDir
    Path directory;

    @Test
    void shouldKeepEveryAcknowledgedCommitWhole() throws Exception {
        final Path store = directory.resolve("store");
        final Path record = directory.resolve("record");
        final Random random = new Random(SEED);
        for (int cycle = 0; cycle < CYCLES; cycle++) {
            final boolean killsRecovery = random.nextInt(4) == 0;
            final int delayMillis = killsRecovery ? random.nextInt(250) : 20 + random.nextInt(280);
            try (ChildJvm child = ChildJvm.start(
                    directory, FAST_START, KillWorkload.class, store, record, SEED + cycle, 0)) {
                child.awaitOutput(killsRecovery ? "started" : "ready", 60);
                Thread.sleep(delayMillis);
                assertTrue(child.isAlive(), () -> "seed " + SEED + ":\n" + child.output());
                child.kill();
            }
        }
        final long steps = KillWorkload.verify(store, record);
        assertTrue(steps > CYCLES, () -> "no work was done: " + steps);
    }
}
