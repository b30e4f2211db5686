package org.kvmdb.tools.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.kvmdb.tools.ChildJvm;

class MemoryLimitTest {

    /** The canary: a limit that limits nothing would make figures that look good. */
    @Test
    void shouldKillAProcessWhenItWantsMore() throws Exception {
        Optional<MemoryLimit> limit = MemoryLimit.find();
        assumeTrue(limit.isPresent(), "no way to limit memory here");
        try (MemoryLimit.Held held = limit.orElseThrow().hold("test-" + ProcessHandle.current().pid(), 32L << 20)) {
            List<String> command = new ArrayList<>(held.launcher());
            // A last line that never ends, and has to be kept.
            command.addAll(List.of("tail", "-n", "1", "/dev/zero"));
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            assertEquals(ChildJvm.KILLED, process.waitFor());
        }
    }
}
