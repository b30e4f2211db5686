package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.kvmdb.journal.simulation.KeptDevice;

/** What a store takes of the disk while nobody has it open. */
class ClosedSpaceTest {

    private static final int SHIFT = 12;
    private static final int SEGMENT = 1 << 20;
    private static final int PAGES = 1000;
    private static final JournalOptions OPTIONS = Workload.tinyOptions()
            .withSegmentSizeBytes(SEGMENT)
            .withMaxSizeBytes(256L << 20)
            .withGrowStepSegments(16);

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment page = arena.allocate(1 << SHIFT, 64);
    private final MemorySegment found = arena.allocate(1 << SHIFT, 64);
    private final MemorySegment block = arena.allocate(BlockEncoder.destinationLength(SHIFT), 64);
    private final KeptDevice device = new KeptDevice(new MemoryDevice("closed space"));
    private Journal journal = Journal.create(device, OPTIONS);
    private final int volume = journal.createVolume("a", 1L << 30, SHIFT).id();

    @AfterEach
    void close() {
        if (!device.isClosed()) {
            journal.kill();
        }
        device.dispose();
        arena.close();
    }

    private void reopen() {
        journal.close();
        device.reopen();
        journal = Journal.open(device, OPTIONS);
    }

    private void fill(long lpn, long version) {
        final SplittableRandom random = new SplittableRandom(lpn * 31 + version);
        for (long at = 0; at < page.byteSize(); at += Long.BYTES) {
            Fields.putLong(page, at, random.nextLong());
        }
    }

    private void write(long version) {
        try (Append append = journal.beginAppend()) {
            for (long lpn = 0; lpn < PAGES; lpn++) {
                fill(lpn, version);
                append.page(volume, lpn, block.asSlice(0, BlockEncoder.encode(page, SHIFT, block)));
            }
            append.commit();
            append.flush();
            append.apply();
        }
    }

    private void verify(long version) {
        for (long lpn = 0; lpn < PAGES; lpn++) {
            fill(lpn, version);
            journal.readPage(volume, lpn, found);
            assertEquals(-1, page.mismatch(found), "page " + lpn);
        }
    }

    private long segmentsOnDisk() {
        return (device.medium().allocatedBytes() + SEGMENT - 1) / SEGMENT;
    }

    @Test
    void shouldKeepNoSpaceThatWasNeverWritten() {
        write(0);
        final long open = segmentsOnDisk();
        final long used = (PAGES << SHIFT) / SEGMENT + 3; // the log's last segment, superblocks, headers and records
        assertTrue(open > used + 4, "it grows by 16 segments: " + open);
        journal.close();
        final long closed = segmentsOnDisk();
        assertTrue(closed <= used, closed + " of " + used);
    }

    @Test
    void shouldGoOnWhereSpaceWasGivenBack() {
        for (int i = 0; i < 8; i++) {
            write(i);
            reopen();
            verify(i);
            SpaceCheck.check(journal);
        }
    }

    /** Commits into what was written before are cheapest: that is what a store keeps free segments for. */
    @Test
    void shouldKeepThePoolOfWhatWasWritten() {
        write(0);
        write(1);
        journal.checkpoint();
        final int free = journal.parts().segments().free().count();
        assertTrue(free >= 3, free + " segments of the first version are free");
        journal.close();
        assertTrue(segmentsOnDisk() >= 2L * (PAGES << SHIFT) / SEGMENT, segmentsOnDisk() + " segments");
    }
}
