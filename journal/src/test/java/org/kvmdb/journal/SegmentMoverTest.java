package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.RecordingDevice;

class SegmentMoverTest {

    private static final int[] ONE_STREAM = new int[SegmentCensus.CLASSES];

    private static Workload workload(String name, long seed) {
        final Workload work = new Workload(new RecordingDevice(new MemoryDevice(name)), Workload.tinyOptions(), seed);
        work.create();
        return work;
    }

    /** A volume of which every second page was written again, so that older segments are half dead. */
    private static void fill(Workload work) {
        work.createVolume("a", 200 << 12, 12);
        for (int i = 0; i < 10; i++) {
            work.put("a", true, LongStream.range(20L * i, 20L * i + 20).toArray());
        }
        work.put("a", true, LongStream.range(0, 100).map(i -> 2 * i).toArray());
        work.checkpoint();
    }

    private static void cleanAll(Workload work) {
        final SegmentMover mover = work.journal().mover();
        for (int segment : mover.census().segments()) {
            mover.collect(segment, ONE_STREAM);
        }
        mover.publish();
    }

    @Test
    void shouldKeepEveryPageWhenSegmentsAreCleaned() {
        try (Workload work = workload("moved", 1)) {
            fill(work);
            final int[] victims = work.journal().mover().census().segments();
            cleanAll(work);
            work.checkAllIssued();
            for (int victim : victims) {
                assertFalse(Arrays.stream(work.journal().mover().census().segments()).anyMatch(s -> s == victim));
            }
            assertTrue(work.journal().mover().statistics().blocks() >= 100);
            work.kill();
            work.reopen();
            work.checkAllIssued();
            cleanAll(work);
            work.checkpoint();
            work.closeJournal();
            work.reopen();
            work.checkAllIssued();
        }
    }

    @Test
    void shouldFreeWhatWasCleanedAtTheNextCheckpoint() {
        try (Workload work = workload("freed", 2)) {
            fill(work);
            final SegmentTable segments = work.journal().parts().segments();
            final int[] victims = work.journal().mover().census().segments();
            cleanAll(work);
            for (int victim : victims) {
                assertEquals(SegmentState.FULL, segments.state(victim));
            }
            work.checkpoint();
            for (int victim : victims) {
                assertEquals(0, segments.live(victim));
                assertEquals(SegmentState.FREE, segments.state(victim));
            }
        }
    }

    @Test
    void shouldLeaveAPageThatIsWrittenBetweenReadingAndPublishing() {
        try (Workload work = workload("raced", 3)) {
            fill(work);
            final SegmentMover mover = work.journal().mover();
            for (int segment : mover.census().segments()) {
                mover.collect(segment, ONE_STREAM);
            }
            work.put("a", true, 1, 3, 5);
            work.trim("a", true, 7);
            work.checkpoint();
            mover.publish();
            work.checkAllIssued();
            work.kill();
            work.reopen();
            work.checkAllIssued();
        }
    }

    /** As when reading the next victim fails, and cleaning goes on hours later. */
    @Test
    void shouldNotBringBackAPageThatWasWrittenAgainToWhereItWasReadFrom() {
        try (Workload work = workload("again", 10)) {
            work.createVolume("a", 200 << 12, 12);
            for (int i = 0; i < 24; i++) {
                work.put("a", true, i);
            }
            work.checkpoint();
            final Journal journal = work.journal();
            final int id = journal.volume("a").id();
            for (int segment : journal.mover().census().segments()) {
                assertTrue(journal.mover().collect(segment, ONE_STREAM));
            }
            final long[] before = LongStream.range(0, 24).map(i -> journal.lookup(id, i)).toArray();
            final SplittableRandom random = new SplittableRandom(5);
            int lpn;
            int writes = 0;
            do {
                lpn = random.nextInt(24);
                work.put("a", true, lpn);
                if (++writes % 20 == 0) {
                    work.checkpoint();
                }
                assertTrue(writes < 20_000);
            } while (journal.lookup(id, lpn) != before[lpn]);
            work.checkAllIssued();
            journal.mover().publish();
            work.checkAllIssued();
            work.kill();
            work.reopen();
            work.checkAllIssued();
        }
    }

    @Test
    void shouldLeaveSegmentsAloneWithNodesThatNoCheckpointKnows() {
        try (Workload work = workload("nodes", 11)) {
            work.createVolume("a", 200 << 12, 12);
            for (int i = 0; i < 4; i++) {
                work.put("a", true, LongStream.range(10L * i, 10L * i + 10).toArray());
            }
            work.checkpoint();
            work.put("a", true, LongStream.range(0, 5).toArray());
            work.snapshot("a", "s");
            work.put("a", true, LongStream.range(5, 10).toArray());
            final Journal journal = work.journal();
            final JournalParts parts = journal.parts();
            final Checkpointer unfinished = new Checkpointer(parts, new ReentrantLock(), journal.superblock());
            try (Arena scratch = Arena.ofConfined()) {
                unfinished.begin();
                unfinished.storeNodes(scratch);
            }
            final int segment = parts.log().position().segment();
            for (int lpn = 100; parts.segments().state(segment) != SegmentState.FULL; lpn++) {
                work.put("a", true, lpn % 200);
            }
            assertTrue(Arrays.stream(journal.mover().census().segments()).noneMatch(s -> s == segment));
            assertFalse(journal.mover().collect(segment, ONE_STREAM));
            cleanAll(work);
            work.put("a", true, 150);
            work.kill();
            work.reopen();
            work.checkAllIssued();
            cleanAll(work);
            work.checkAllIssued();
        }
    }

    @Test
    void shouldLeaveSegmentsWithStolenPagesAlone() {
        try (Workload work = workload("stolen", 4)) {
            work.createVolume("a", 200 << 12, 12);
            work.steal("a", LongStream.range(0, 40).toArray());
            work.put("a", true, LongStream.range(50, 80).toArray());
            work.steal("a", 90);
            final SegmentTable segments = work.journal().parts().segments();
            for (int segment : work.journal().mover().census().segments()) {
                assertEquals(0, segments.stolen(segment));
            }
        }
    }

    /** Rots a byte of a page that lies in a segment that could be cleaned; returns its PPN. */
    private static long rot(Workload work, long lpn) {
        final int id = work.journal().volume("a").id();
        final long ppn = work.journal().lookup(id, lpn);
        work.flipBitOf(ppn);
        return ppn;
    }

    @Test
    void shouldLeaveABadBlockWhereItIs() {
        try (Workload work = workload("rotten", 5)) {
            fill(work);
            final long ppn = rot(work, 21);
            cleanAll(work);
            work.checkpoint();
            assertEquals(ppn, work.journal().lookup(work.journal().volume("a").id(), 21));
            assertEquals(1, work.journal().mover().statistics().badBlocks());
            final BadBlock bad = work.journal().mover().badBlocks().getFirst();
            assertEquals("a", bad.volume());
            assertEquals(21, bad.lpn());
            assertEquals(ppn, bad.ppn());
            assertTrue(bad.fact().contains("checksum"), bad.fact());
            assertFalse(Arrays.stream(work.journal().mover().census().segments()).anyMatch(s -> s == Ppn.segment(ppn)));
            final StorageException thrown = assertThrows(StorageException.class, () -> StoreModel.read(work.journal()));
            assertEquals(ErrorCode.CORRUPT_PAGE, thrown.code());
        }
    }

    private static void snapshotAndOverwrite(Workload work) {
        fill(work);
        work.snapshot("a", "s");
        work.put("a", true, LongStream.range(0, 60).map(i -> 3 * i).toArray());
        work.checkpoint();
    }

    @Test
    void shouldKeepSnapshotsWhenWhatTheyHoldIsMovedAgainAndAgain() {
        try (Workload work = workload("snapshot", 6)) {
            snapshotAndOverwrite(work);
            final SegmentTable segments = work.journal().parts().segments();
            for (int i = 0; i < 3; i++) {
                cleanAll(work);
                assertTrue(segments.remaps().count() >= 60, () -> segments.remaps().count() + " remaps");
                work.checkAllIssued();
                work.checkpoint();
                work.checkAllIssued();
            }
            work.kill();
            work.reopen();
            work.checkAllIssued();
            cleanAll(work);
            work.kill();
            work.reopen();
            work.checkAllIssued();
        }
    }

    @Test
    void shouldForgetNamesWhenTheSnapshotIsDeleted() {
        try (Workload work = workload("forgotten", 7)) {
            snapshotAndOverwrite(work);
            cleanAll(work);
            work.checkpoint();
            work.put("a", true, LongStream.range(0, 200).toArray());
            work.deleteSnapshot("a@s");
            work.dropAll();
            work.checkAllIssued();
            work.checkpoint();
            assertEquals(0, work.journal().parts().segments().remaps().count());
            work.closeJournal();
            work.reopen();
            work.checkAllIssued();
        }
    }

    /** Pages of one size, committed alike: without care the new blocks would lie exactly where the names are. */
    @Test
    void shouldPutNoBlockWhereANameSaysThatOneIs() {
        try (Workload work = workload("names", 8)) {
            work.createVolume("a", 200 << 12, 12);
            for (int i = 0; i < 12; i++) {
                work.put("a", true, i);
            }
            work.snapshot("a", "s");
            for (int round = 0; round < 20; round++) {
                for (int i = 0; i < 12; i++) {
                    work.put("a", true, i);
                }
                cleanAll(work);
                work.checkpoint();
                work.checkAllIssued();
            }
            final Remaps remaps = work.journal().parts().segments().remaps();
            assertTrue(remaps.count() >= 12);
            for (int i = 0; i < 12; i++) {
                assertFalse(remaps.contains(work.journal().lookup(work.journal().volume("a").id(), i)));
            }
            work.kill();
            work.reopen();
            work.checkAllIssued();
        }
    }

    /** The whole of a segment that was reserved, written ahead, used and reserved again. */
    @Test
    void shouldWriteAheadFromTheStartWhenASegmentIsReservedAgain() {
        try (Workload work = workload("ahead", 9)) {
            work.createVolume("a", 200 << 12, 12);
            final LogWriter log = work.journal().parts().log();
            final SegmentTable segments = work.journal().parts().segments();
            while (work.journal().idleWork().prepareNextSegment()) {
                assertTrue(log.reservedSegment() >= 0);
            }
            final int reserved = log.reservedSegment();
            final int generation = segments.generation(reserved);
            for (int i = 0; log.reservedSegment() != reserved || segments.generation(reserved) == generation; i++) {
                assertTrue(i < 2000, "the segment is never reserved again");
                work.put("a", true, 0, 1);
                if (i % 20 == 0) {
                    work.checkpoint();
                }
            }
            segments.medium(reserved, SegmentTable.FRESH);
            while (work.journal().idleWork().prepareNextSegment()) {
                assertEquals(reserved, log.reservedSegment());
            }
            assertEquals(SegmentTable.WRITTEN, segments.medium(reserved));
            work.checkAllIssued();
        }
    }
}
