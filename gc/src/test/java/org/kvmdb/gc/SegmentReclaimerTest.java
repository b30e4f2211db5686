package org.kvmdb.gc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.SpaceAccount;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.JournalOptions;
import org.kvmdb.journal.ReaderGrace;
import org.kvmdb.journal.SegmentStatistics;
import org.kvmdb.journal.VolumeEntry;

class SegmentReclaimerTest {

    private static final int SEGMENT = TestStore.SEGMENT_BYTES;
    /** Pages that fill a segment: their blocks take a little over 2 KiB. */
    private static final int PAGES_PER_SEGMENT = 115;

    @TempDir
    Path directory;

    private TestStore create(JournalOptions options) {
        return new TestStore(directory.resolve("store.kvmdb"), options);
    }

    private static SegmentStatistics segments(TestStore store) {
        return store.journal().segmentStatistics();
    }

    @Test
    void shouldFreeDeadSegmentsAtACheckpointAndReturnTheirSpace() {
        try (TestStore store = create(TestStore.options())) {
            final SegmentReclaimer reclaimer = new SegmentReclaimer(store.journal(), 2);
            final VolumeEntry volume = store.volume("a", 12);
            store.write(volume, 0, 40 * PAGES_PER_SEGMENT, 1);
            reclaimer.checkpoint();
            final long full = store.allocatedBytes();
            assertTrue(full > 40L * SEGMENT);
            store.delete(volume);
            assertTrue(segments(store).reclaimable() >= 38, "" + segments(store));
            assertTrue(reclaimer.isCheckpointDue());
            reclaimer.step();
            final SegmentStatistics after = segments(store);
            assertTrue(after.reclaimable() <= 2, "" + after);
            assertTrue(after.free() <= 5 && after.holes() > 35, "" + after);
            assertTrue(store.allocatedBytes() < full - 34L * SEGMENT, full + " to " + store.allocatedBytes());
            assertFalse(reclaimer.isCheckpointDue());
        }
        assertTrue(StoreChecker.check(directory.resolve("store.kvmdb"), CheckProgress.NONE).isClean());
    }

    @Test
    void shouldTakeACheckpointOnceTheLogHasGrownLongBesideIt() {
        try (TestStore store = create(TestStore.options())) {
            final VolumeEntry volume = store.volume("a", 12);
            store.write(volume, 0, 4 * PAGES_PER_SEGMENT, 0);
            assertFalse(store.journal().checkpointIsDue());
            for (int round = 1; round < 6; round++) {
                store.write(volume, 0, 4 * PAGES_PER_SEGMENT, round);
            }
            assertTrue(store.journal().checkpointIsDue());
            store.journal().checkpoint();
            assertFalse(store.journal().checkpointIsDue());
        }
    }

    @Test
    void shouldTakeNoCheckpointThatWouldWriteMuchBesideTheLog() {
        try (TestStore store = create(TestStore.options())) {
            final VolumeEntry volume = store.volume("a", 12);
            for (int leaf = 0; leaf < 256; leaf++) {
                store.write(volume, leaf * 512L, 1, 0);
            }
            store.write(volume, 0, 20 * PAGES_PER_SEGMENT, 1);
            assertFalse(store.journal().checkpointIsDue());
        }
    }

    @Test
    void shouldReuseFreedSegmentsBeforeTheFileGrows() {
        try (TestStore store = create(TestStore.options())) {
            final SegmentReclaimer reclaimer = new SegmentReclaimer(store.journal(), 2);
            final VolumeEntry volume = store.volume("a", 12);
            for (int round = 0; round < 6; round++) {
                store.write(volume, 0, 10 * PAGES_PER_SEGMENT, round);
                reclaimer.checkpoint();
            }
            final int before = segments(store).count();
            for (int round = 6; round < 30; round++) {
                store.write(volume, 0, 10 * PAGES_PER_SEGMENT, round);
                reclaimer.checkpoint();
            }
            assertEquals(before, segments(store).count());
        }
    }

    @Test
    void shouldPoolWhatTheLogGoesThroughBetweenCheckpoints() {
        try (TestStore store = create(TestStore.options())) {
            final SegmentReclaimer reclaimer = new SegmentReclaimer(store.journal(), 1);
            final VolumeEntry volume = store.volume("a", 12);
            store.write(volume, 0, 40 * PAGES_PER_SEGMENT, 0);
            reclaimer.checkpoint();
            for (int round = 1; round < 4; round++) {
                store.write(volume, 0, 6 * PAGES_PER_SEGMENT, round);
                reclaimer.checkpoint();
            }
            assertTrue(reclaimer.pooledSegments() >= 6, "" + reclaimer.pooledSegments());
            final long allocated = store.allocatedBytes();
            store.write(volume, 0, 4 * PAGES_PER_SEGMENT, 5);
            assertTrue(store.allocatedBytes() <= allocated, "commits went to the pool");
        }
    }

    @Test
    void shouldReachAllOfTheSpaceFromAFaultWhenTheFileIsAtItsLimit() {
        final int segmentsMax = 48;
        final long limit = TestStore.SEGMENTS_OFFSET + (long) segmentsMax * SEGMENT;
        try (TestStore store = create(TestStore.options().withMaxSizeBytes(limit))) {
            final SegmentReclaimer reclaimer = new SegmentReclaimer(store.journal(), 2);
            final VolumeEntry volume = store.volume("a", 12);
            fillUp(store, volume);
            assertEquals(segmentsMax, segments(store).count());
            store.delete(volume);
            reclaimer.step();
            assertTrue(segments(store).holes() > 30, "" + segments(store));
            assertTrue(store.allocatedBytes() < limit / 2);

            // What the fault handler calls for a page's first write; nobody helps it meanwhile.
            final SpaceAccount space = store.journal().space();
            long reserved = 0;
            while (space.tryReserve(4096)) {
                reserved += 4096;
            }
            assertTrue(reserved > (segmentsMax - 12L) * SEGMENT, reserved + " of " + limit);
            assertEquals(0, segments(store).holes());
            space.release(reserved);

            final VolumeEntry next = store.volume("b", 12);
            store.write(next, 0, 30 * PAGES_PER_SEGMENT, 1);
            reclaimer.checkpoint();
            assertEquals(segmentsMax, segments(store).count());
        }
        assertTrue(StoreChecker.check(directory.resolve("store.kvmdb"), CheckProgress.NONE).isClean());
    }

    private static void fillUp(TestStore store, VolumeEntry volume) {
        final StorageException full = assertThrows(StorageException.class, () -> {
            for (int i = 0; ; i++) {
                store.write(volume, (long) i * PAGES_PER_SEGMENT, PAGES_PER_SEGMENT, 1);
            }
        });
        assertEquals(ErrorCode.STORE_FULL, full.code());
    }

    @Test
    void shouldKeepWhatIsPromisedWhenGivingBack() {
        try (TestStore store = create(TestStore.options())) {
            final SegmentReclaimer reclaimer = new SegmentReclaimer(store.journal(), 0);
            final VolumeEntry volume = store.volume("a", 12);
            store.write(volume, 0, 20 * PAGES_PER_SEGMENT, 1);
            final SpaceAccount space = store.journal().space();
            final long promised = 10L * SEGMENT;
            assertTrue(space.tryReserve(promised));
            store.delete(volume);
            reclaimer.checkpoint();
            assertTrue(segments(store).holes() > 0, "" + segments(store));
            assertTrue(space.availableBytes() >= promised, space.availableBytes() + " for " + promised);
            space.release(promised);
        }
    }

    @Test
    void shouldLeaveASmallFileWhenItIsClosed() {
        try (TestStore store = create(TestStore.options())) {
            final SegmentReclaimer reclaimer = new SegmentReclaimer(store.journal(), 2);
            final VolumeEntry volume = store.volume("a", 12);
            store.write(volume, 0, 20 * PAGES_PER_SEGMENT, 1);
            final long before = store.allocatedBytes();
            store.delete(volume);
            reclaimer.finish();
            assertTrue(store.allocatedBytes() < before - 14L * SEGMENT, before + " to " + store.allocatedBytes());
            final long checkpoints = store.journal().statistics().checkpoints();
            reclaimer.finish();
            assertEquals(checkpoints, store.journal().statistics().checkpoints());
        }
    }

    @Test
    void shouldWaitForReadersBeforeGivingBack() {
        try (TestStore store = create(TestStore.options())) {
            final AtomicBoolean passed = new AtomicBoolean();
            store.journal().readerGrace(new ReaderGrace() {
                @Override
                public long advance() {
                    return 1;
                }

                @Override
                public boolean passed(long epoch) {
                    return passed.get();
                }
            });
            final SegmentReclaimer reclaimer = new SegmentReclaimer(store.journal(), 2);
            final VolumeEntry volume = store.volume("a", 12);
            store.write(volume, 0, 20 * PAGES_PER_SEGMENT, 1);
            store.delete(volume);
            reclaimer.checkpoint();
            final long before = store.allocatedBytes();
            assertTrue(before > 20L * SEGMENT);
            passed.set(true);
            reclaimer.step();
            assertTrue(store.allocatedBytes() < before - 14L * SEGMENT, before + " to " + store.allocatedBytes());
        }
    }

    @Test
    void shouldTrustNoSpaceThatWasGivenBackAfterTheLastCheckpoint() {
        try (TestStore store = create(TestStore.options())) {
            final SegmentReclaimer reclaimer = new SegmentReclaimer(store.journal(), 2);
            final VolumeEntry volume = store.volume("a", 12);
            store.write(volume, 0, 30 * PAGES_PER_SEGMENT, 1);
            store.delete(volume);
            reclaimer.checkpoint(); // the segment table on the medium was written before the holes were made
            final long allocated = store.allocatedBytes();
            store.reopen();
            assertTrue(store.allocatedBytes() <= allocated + 3L * SEGMENT, allocated + " to " + store.allocatedBytes());
            final SegmentStatistics opened = segments(store);
            assertTrue(opened.holes() >= 25, "" + opened);
            final long available = store.journal().space().availableBytes();
            assertTrue(available <= (long) opened.free() * SEGMENT, available + " with " + opened);
            new SegmentReclaimer(store.journal(), 2).step();
            assertTrue(store.allocatedBytes() <= allocated, allocated + " to " + store.allocatedBytes());
        }
    }
}
