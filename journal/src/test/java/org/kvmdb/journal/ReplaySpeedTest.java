package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.kvmdb.journal.simulation.KeptDevice;

/** Prints how fast the log is replayed; nothing here depends on the time. */
@Tag("long")
class ReplaySpeedTest {

    private static final int PAGES = 2_600_000;

    @Test
    void shouldReplayCommitsOfManyPages() {
        replay(10_000);
    }

    @Test
    void shouldReplayCommitsOfFewPages() {
        replay(100);
    }

    private static void replay(int pagesPerCommit) {
        final JournalOptions options =
                JournalOptions.defaults().withMaxSizeBytes(4L << 30).withCheckpointRecordsMax(Long.MAX_VALUE);
        final KeptDevice device = new KeptDevice(new MemoryDevice("speed"));
        try (Arena arena = Arena.ofConfined()) {
            final Journal journal = Journal.create(device, options);
            final int id = journal.createVolume("a", (long) PAGES << 12, 12).id();
            final MemorySegment encoded = arena.allocate(BlockEncoder.destinationLength(12), 64);
            final int length = BlockEncoder.encode(arena.allocate(4096, 64), 12, encoded);
            for (int lpn = 0; lpn < PAGES; lpn += pagesPerCommit) {
                try (Append append = journal.beginAppend()) {
                    for (int i = 0; i < pagesPerCommit; i++) {
                        append.page(id, (lpn + i) * 7919L % PAGES, encoded.asSlice(0, length));
                    }
                    append.commit();
                    append.flush();
                    append.apply();
                }
            }
            journal.kill();
            device.reopen();
            try (Journal again = Journal.open(device, options)) {
                final JournalStatistics statistics = again.statistics();
                assertEquals(PAGES + 1, statistics.replayedRecords());
                System.out.printf("%d pages a commit: %d records replayed, opened in %d ms, %.1f million records/s%n",
                        pagesPerCommit, statistics.replayedRecords(), statistics.recoveryNanos() / 1_000_000,
                        statistics.replayedRecords() * 1e3 / statistics.recoveryNanos());
            }
        } finally {
            device.dispose();
        }
    }
}
