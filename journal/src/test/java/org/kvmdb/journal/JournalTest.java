package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.KeptDevice;
import org.kvmdb.journal.simulation.RecordingDevice;

class JournalTest {

    private static final JournalOptions OPTIONS = Workload.tinyOptions();

    private final KeptDevice device = new KeptDevice(new MemoryDevice("journal"));
    private final Workload work = new Workload(device, OPTIONS, 1);

    @AfterEach
    void close() {
        work.close();
        device.dispose();
    }

    private static void assertCode(ErrorCode code, Executable action) {
        assertEquals(code, assertThrows(StorageException.class, action).code());
    }

    private static long[] range(int from, int count) {
        return java.util.stream.LongStream.range(from, from + count).toArray();
    }

    /** What is there equals the model, now and after opening again, and every byte is accounted for. */
    private void verify() {
        assertEquals(work.model().now(), StoreModel.read(work.journal()));
        SpaceCheck.check(work.journal());
        work.kill();
        work.reopen();
        assertEquals(work.model().now(), StoreModel.read(work.journal()));
        SpaceCheck.check(work.journal());
        work.closeJournal();
        work.reopen();
        assertEquals(work.model().now(), StoreModel.read(work.journal()));
        SpaceCheck.check(work.journal());
    }

    @Test
    void shouldReadWhatWasCommittedWhenItIsOpenedAgain() {
        work.create();
        work.createVolume("a", 100 << 12, 12);
        work.createVolume("b", 30 << 16 >> 2, 14);
        work.put("a", true, 0, 99);
        work.put("b", false, 1);
        verify();
        assertEquals(List.of("a", "b"), work.journal().volumes().stream().map(VolumeEntry::name).toList());
        assertCode(ErrorCode.NO_SUCH_VOLUME, () -> work.journal().volume("c"));
        assertCode(ErrorCode.VOLUME_EXISTS, () -> work.journal().createVolume("a", 4096, 12));
        assertCode(ErrorCode.INVALID, () -> work.journal().createVolume("", 4096, 12));
        assertCode(ErrorCode.INVALID, () -> work.journal().createVolume("c", -1, 12));
        assertCode(ErrorCode.INVALID, () -> work.journal().createVolume("c", 4096, 11));
    }

    @Test
    void shouldSpanSegmentsWhenACommitIsLarge() {
        work.create();
        work.createVolume("a", 400 << 12, 12);
        work.put("a", true, range(0, 300));
        work.put("a", true, range(50, 200));
        verify();
    }

    @Test
    void shouldKeepStolenPagesWhenTheyAreReferredToAfterCheckpoints() {
        work.create();
        work.createVolume("a", 100 << 12, 12);
        work.steal("a", range(0, 40));
        work.checkpoint();
        work.put("a", true, range(50, 30));
        work.checkpoint();
        work.steal("a", 3, 4);
        work.put("a", true, 3, 60);
        verify();
    }

    @Test
    void shouldForgetStolenPagesWhenTheyAreRolledBack() {
        work.create();
        work.createVolume("a", 100 << 12, 12);
        work.steal("a", range(0, 40));
        work.rollBackStolen();
        work.put("a", true, 1);
        verify();
        assertCode(ErrorCode.INVALID, () -> work.journal().dropStolen(work.journal().lookup(1, 1)));
    }

    @Test
    void shouldReadZerosWhenAVolumeShrankAndGrew() {
        work.create();
        work.createVolume("a", 1200L << 12, 12);
        work.put("a", true, 0, 5, 511, 512, 513, 1100, 1199);
        work.resizeVolume("a", (513L << 12) - 1);
        work.resizeVolume("a", 1200L << 12);
        assertEquals(0, work.journal().lookup(1, 513));
        verify();
        work.checkpoint();
        work.resizeVolume("a", 6L << 12);
        work.resizeVolume("a", 1200L << 12);
        verify();
        work.resizeVolume("a", 0);
        verify();
    }

    @Test
    void shouldReuseSegmentsWhenWhatLayInThemIsDeletedAndACheckpointWasTaken() {
        work.create();
        for (int i = 0; i < 20; i++) {
            work.createVolume("a", 200 << 12, 12);
            work.put("a", true, range(0, 200));
            work.deleteVolume("a");
            work.dropAll();
            work.checkpoint();
        }
        verify();
        final SegmentStatistics segments = work.journal().segmentStatistics();
        assertTrue(segments.count() <= 48, segments::toString);
        assertTrue(work.journal().punchFreeSegments(0, 100) > 0);
        SpaceCheck.check(work.journal());
        verify();
    }

    @Test
    void shouldRefuseWhenTheStoreIsFullAndTakeAgainWhenRoomWasMade() {
        work.create();
        work.createVolume("a", 2000L << 12, 12);
        work.createVolume("b", 2000L << 12, 12);
        work.put("b", true, range(0, 30));
        int commits = 0;
        StorageException full = null;
        while (full == null && commits < 100) {
            try {
                work.put("a", true, range(20 * commits, 20));
                commits++;
            } catch (StorageException e) {
                full = e;
            }
        }
        assertEquals(ErrorCode.STORE_FULL, full.code());
        work.giveUp();
        verify();
        for (int i = 0; i < 30; i++) {
            assertCode(ErrorCode.STORE_FULL, () -> work.put("a", true, range(0, 100)));
            work.giveUp();
        }
        verify();
        work.resizeVolume("a", 20L << 12);
        work.checkpoint();
        work.put("a", true, range(0, 20));
        work.deleteVolume("a");
        work.dropAll();
        work.checkpoint();
        work.put("b", true, range(0, 200));
        verify();
    }

    @Test
    void shouldStillCheckpointAndOpenWhenAFullStoreWasChangedToTheLast() {
        work.create();
        work.createVolume("a", 2000L << 12, 12);
        for (int i = 0, refused = 0; refused == 0; i++) {
            try {
                work.put("a", true, range(20 * i, 20));
            } catch (StorageException e) {
                refused++;
            }
        }
        work.giveUp();
        for (int i = 0; i < 300; i++) {
            try {
                work.resizeVolume("a", (2000L + (i < 150 ? i : -i)) << 12);
            } catch (StorageException e) {
                assertEquals(ErrorCode.STORE_FULL, e.code());
                work.giveUp();
            }
        }
        verify();
        work.checkpoint();
        verify();
        work.deleteVolume("a");
        verify();
    }

    @Test
    void shouldSayHowFarTheLogIsDurableWhenIdle() throws InterruptedException {
        work.create();
        work.createVolume("a", 100 << 12, 12);
        work.put("a", true, 1);
        work.journal().idleWork().sealIfIdle();
        final long batches = work.journal().statistics().batches();
        Thread.sleep(120);
        work.journal().idleWork().sealIfIdle();
        assertEquals(batches + 1, work.journal().statistics().batches());
        work.journal().idleWork().sealIfIdle();
        assertEquals(batches + 1, work.journal().statistics().batches());
        verify();
    }

    @Test
    void shouldWriteNothingWhenOpenedReadOnly() {
        work.create();
        work.createVolume("a", 100 << 12, 12);
        work.put("a", true, 1);
        work.put("a", false, 2);
        work.kill();
        device.reopen();
        final RecordingDevice recording = new RecordingDevice(device);
        try (Journal journal = Journal.open(recording, OPTIONS.withReadOnly(true))) {
            assertEquals(work.model().now(), StoreModel.read(journal));
            journal.idleWork().prepareNextSegment();
            journal.idleWork().sealIfIdle();
            assertCode(ErrorCode.INVALID, journal::beginAppend);
            assertCode(ErrorCode.INVALID, journal::checkpoint);
            assertCode(ErrorCode.INVALID, () -> journal.createVolume("x", 4096, 12));
        }
        assertEquals(List.of(), recording.events());
        assertArrayEquals(recording.startImage(), LogImage.of(device.medium()).bytes());
    }

    @Test
    void shouldThrowWhenUsedAfterClose() {
        work.create();
        work.createVolume("a", 100 << 12, 12);
        work.put("a", true, 1);
        final long ppn = work.journal().lookup(1, 1);
        final Journal journal = work.journal();
        work.closeJournal();
        journal.close();
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment page = arena.allocate(4096);
            final List<Executable> uses = List.of(
                    () -> journal.lookup(1, 1), () -> journal.readPage(1, 1, page), journal::beginAppend,
                    () -> journal.forEachMapped(1, (lpn, p) -> {}), () -> journal.dropStolen(ppn), journal::flush,
                    journal::checkpoint, journal::checkpointIsDue, journal::statistics, journal::segmentStatistics,
                    () -> journal.createVolume("x", 4096, 12), () -> journal.deleteVolume(1),
                    () -> journal.resizeVolume(1, 0), () -> journal.readerGrace(ReaderGrace.NONE));
            uses.forEach(use -> assertCode(ErrorCode.CLOSED, use));
        }
        journal.idleWork().sealIfIdle();
        assertFalse(journal.idleWork().prepareNextSegment());
    }

    @Test
    void shouldRefuseWhatCannotBeDoneWithinAnAppend() {
        work.create();
        work.createVolume("a", 100 << 12, 12);
        try (Append append = work.journal().beginAppend()) {
            assertCode(ErrorCode.INVALID, work.journal()::beginAppend);
            assertCode(ErrorCode.INVALID, work.journal()::checkpoint);
            assertCode(ErrorCode.INVALID, work.journal()::close);
            assertCode(ErrorCode.INVALID, () -> work.journal().deleteVolume(1));
            assertCode(ErrorCode.INVALID, () -> append.page(1, 100, MemorySegment.ofArray(new byte[64])));
            assertCode(ErrorCode.NO_SUCH_VOLUME, () -> append.trim(7, 0));
        }
        work.put("a", true, 3);
        verify();
    }

    /** The nodes of the pages that the volume lost are handed on by the next append, with its end. */
    @Test
    void shouldFailAndLetGoOfItsLockWhenThereIsNoMemoryAtTheEndOfAnAppend() throws Exception {
        work.create();
        work.createVolume("a", 2000 << 12, 12);
        work.put("a", true, 1, 1000);
        work.resizeVolume("a", 100 << 12);
        final OutOfMemoryError error = new OutOfMemoryError("for a moment");
        work.journal().readerGrace(new ReaderGrace() {
            @Override
            public long advance() {
                throw error;
            }

            @Override
            public boolean passed(long epoch) {
                return false;
            }
        });
        assertSame(error, assertThrows(OutOfMemoryError.class, () -> work.put("a", true, 2)));
        // By another thread, since the lock would let this one in.
        CompletableFuture.runAsync(() -> assertCode(ErrorCode.FAILED, work.journal()::beginAppend)).get(10, TimeUnit.SECONDS);
        work.closeJournal();
        work.reopen();
        verify();
    }

    @Test
    void shouldCountOnceWhenAPageOccursTwiceInACommit() {
        work.create();
        work.createVolume("a", 100 << 12, 12);
        work.put("a", true, 1, 1, 2, 1);
        work.steal("a", 1, 2);
        work.put("a", true, 2, 2);
        verify();
    }

    @Test
    void shouldRefuseWhenTheFileIsOpenElsewhere(@TempDir Path directory) {
        final Path file = directory.resolve("store");
        final JournalOptions options = OPTIONS.withRandom(new SplittableRandom(5));
        try (Journal journal = Journal.create(FileDevice.create(file), options)) {
            journal.createVolume("a", 4096, 12);
            assertCode(ErrorCode.STORE_IN_USE, () -> FileDevice.open(file, false));
            assertCode(ErrorCode.STORE_IN_USE, () -> FileDevice.open(file, true));
            assertCode(ErrorCode.ALREADY_EXISTS, () -> FileDevice.create(file));
        }
        try (Journal journal = Journal.open(FileDevice.open(file, false), options)) {
            assertEquals("a", journal.volumes().getFirst().name());
        }
        assertCode(ErrorCode.ALREADY_EXISTS, () -> Journal.create(FileDevice.open(file, false), options));
    }

    /** What a creation has left that was killed, at any time, is in nobody's way. */
    @Test
    void shouldHaveItsNameOnceItIsAStore(@TempDir Path directory) throws IOException {
        final Path file = directory.resolve("store");
        final Path part = directory.resolve("store.new");
        final JournalOptions options = OPTIONS.withRandom(new SplittableRandom(5));
        try (FileDevice device = FileDevice.create(file)) {
            assertFalse(Files.exists(file));
            assertCode(ErrorCode.STORE_IN_USE, () -> FileDevice.create(file));
            assertTrue(device.toString().endsWith("store"), device::toString);
        }
        assertFalse(Files.exists(part), "closed before it was a store");
        Files.write(part, new byte[100_000]);
        try (Journal journal = Journal.create(FileDevice.create(file), options)) {
            assertTrue(Files.exists(file) && !Files.exists(part));
            journal.createVolume("a", 4096, 12);
        }
        try (Journal journal = Journal.open(FileDevice.open(file, false), options)) {
            assertEquals("a", journal.volumes().getFirst().name());
        }
    }

    @Test
    void shouldRefuseWhatIsNoStore() {
        final MemoryDevice empty = new MemoryDevice("empty");
        assertCode(ErrorCode.WRONG_MAGIC, () -> Journal.open(empty, OPTIONS));
        final MemoryDevice text = new MemoryDevice("text");
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment bytes = arena.allocate(5000);
            bytes.fill((byte) 'x');
            text.write(0, bytes);
            assertEquals('x', bytes.get(ValueLayout.JAVA_BYTE, 0));
        }
        assertCode(ErrorCode.WRONG_MAGIC, () -> Journal.open(text, OPTIONS));
    }
}
