package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.WriteLog;

class WriteLogTest {

    @TempDir
    private Path directory;

    private List<WriteLog.Entry> exported(String workload) throws IOException {
        final Path file = directory.resolve("log");
        final var report = new CrashStatesCampaign().run(new CampaignPlan(
                CampaignPlan.Scale.SMOKE, 3, 1, directory, Map.of("workload", workload, "export", file.toString()),
                (done, expected) -> {}));
        assertTrue(report.isClean(), () -> report.findings().toString());
        return WriteLog.read(file);
    }

    /** Replaying all of it onto an empty device gives the store. */
    @Test
    void shouldHoldAllThatWasDoneWhenReplayed() throws IOException {
        final List<WriteLog.Entry> entries = exported("create a 262144 12; put a 0-9; checkpoint; put a 3; close");
        assertTrue(entries.stream().filter(WriteLog.Entry::isFlush).count() > 10, () -> entries.size() + " entries");
        final List<String> marks = entries.stream().map(WriteLog.Entry::text).filter(text -> !text.isEmpty()).toList();
        assertEquals(List.of("acked 0", "issued 1", "acked 1", "issued 2", "acked 2"), marks.subList(0, 5));
        try (Arena arena = Arena.ofConfined(); MemoryDevice device = new MemoryDevice("replayed")) {
            for (WriteLog.Entry entry : entries) {
                if (entry.bytes().length > 0) {
                    final MemorySegment bytes = arena.allocate(entry.bytes().length);
                    MemorySegment.copy(entry.bytes(), 0, bytes, ValueLayout.JAVA_BYTE, 0, entry.bytes().length);
                    device.write(entry.position(), bytes);
                }
            }
            try (Journal journal = Journal.open(device, Workload.tinyOptions())) {
                assertEquals(10, StoreModel.read(journal).get("a").pages.size());
            }
        }
    }

    /** Field by field as the kernel's header has it. */
    @Test
    void shouldLieAsDmLogWritesHasIt() throws IOException {
        final List<WriteLog.Entry> entries = exported("create a 262144 12");
        final byte[] log = Files.readAllBytes(directory.resolve("log"));
        assertArrayEquals(
                new byte[] {'r', 'h', 's', 'w', 'f', 's', 'j', 0, 1, 0, 0, 0, 0, 0, 0, 0, (byte) entries.size()},
                Arrays.copyOf(log, 17));
        assertArrayEquals(new byte[] {0, 2, 0, 0}, Arrays.copyOfRange(log, 24, 28));
        assertEquals(entries.getFirst().position() / 512, log[512] + (log[513] << 8));
        assertEquals(entries.getFirst().bytes().length / 512, log[520] & 0xff);
        assertEquals(0, log[528]);
        Files.write(directory.resolve("log"), Arrays.copyOf(log, log.length - 1));
        assertThrows(IOException.class, () -> WriteLog.read(directory.resolve("log")));
        Files.write(directory.resolve("log"), new byte[4096]);
        assertThrows(IOException.class, () -> WriteLog.read(directory.resolve("log")));
    }
}
