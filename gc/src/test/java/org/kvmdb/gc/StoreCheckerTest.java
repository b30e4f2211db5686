package org.kvmdb.gc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.BlockOwner;
import org.kvmdb.journal.Defect;
import org.kvmdb.journal.FileDevice;
import org.kvmdb.journal.JournalInspection;
import org.kvmdb.journal.JournalInternals;
import org.kvmdb.journal.VolumeEntry;

class StoreCheckerTest {

    private static final int PAGES = 700;
    private static final int LARGE_PAGES = 40;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @TempDir
    Path directory;

    private TestStore store;
    private VolumeEntry small;
    private VolumeEntry large;

    /** Two volumes, a checkpoint, and a log behind it with overwritten, new, stolen and trimmed pages. */
    @BeforeEach
    void makeStore() {
        store = new TestStore(directory.resolve("store.kvmdb"), TestStore.options());
        small = store.volume("small", 12);
        large = store.volume("large", 16);
        store.write(small, 0, PAGES, 1);
        store.write(small, 1_000_000_000L >>> 12, 5, 1);
        store.write(large, 0, LARGE_PAGES, 1);
        store.journal().checkpoint();
        store.write(small, 100, 50, 2);
        store.write(small, PAGES, 20, 2);
        store.steal(small, 200, 10, 3);
        final VolumeEntry gone = store.volume("gone", 12);
        store.write(gone, 0, 30, 1);
        store.delete(gone);
    }

    private StoreReport check(Path file) {
        return StoreChecker.check(file, CheckProgress.NONE);
    }

    private static void assertClean(StoreReport report) {
        assertEquals(List.of(), report.defects());
        assertTrue(report.isClean());
        assertEquals(4, report.superblockCopies());
    }

    private static Defect only(StoreReport report) {
        assertEquals(1, report.defectCount(), () -> report.defects().toString());
        return report.defects().getFirst();
    }

    @Test
    void shouldFindNothingWhenStoreWasKilled() {
        final StoreReport report = check(store.killedCopy("killed"));
        assertClean(report);
        assertEquals(PAGES + 20 + 5 + LARGE_PAGES, report.pages());
        assertEquals(List.of("small", "large"), report.volumes().stream().map(VolumeReport::name).toList());
        assertEquals(65536, report.volumes().get(1).pageSizeBytes());
        assertTrue(report.compressionRatio() > 1.6 && report.compressionRatio() < 2.1, "" + report.compressionRatio());
        assertTrue(report.batches() > 3);
        assertTrue(report.nodes() >= 4 + 1 + 4, "" + report.nodes());
        assertEquals(report.segments().count(),
                report.segments().free() + report.segments().holes() + report.segments().reserved()
                        + report.segments().open() + report.segments().full());
        store.close();
    }

    @Test
    void shouldFindNothingAfterCloseReopenAndManyCheckpoints() {
        for (int round = 0; round < 12; round++) {
            store.write(small, round * 31L, 120, 10 + round);
            store.write(large, round * 3L, 9, 10 + round);
            if (round % 3 == 0) {
                store.journal().checkpoint();
            }
            if (round == 4) {
                store.journal().resizeVolume(small.id(), 400L << 12);
                store.journal().resizeVolume(small.id(), 1L << 30);
            }
            if (round == 7) {
                store.reopen();
            }
            assertClean(check(store.killedCopy("killed" + round)));
        }
        store.close();
        assertClean(check(store.file()));
    }

    @Test
    void shouldWriteNothingWhenChecking() throws IOException {
        final Path killed = store.killedCopy("killed");
        final byte[] before = Files.readAllBytes(killed);
        check(killed);
        assertTrue(java.util.Arrays.equals(before, Files.readAllBytes(killed)));
        store.close();
    }

    @Test
    void shouldCheckTheSameInManyPasses() {
        final Path killed = store.killedCopy("killed");
        final long position = store.position(small, 333);
        TestStore.flip(killed, position + 20);
        final List<Long> done = new ArrayList<>();
        final StoreReport report = StoreChecker.check(
                FileDevice.open(killed, true),
                (doneBytes, total) -> {
                    assertTrue(doneBytes <= total);
                    done.add(total - doneBytes);
                },
                50);
        assertEquals(position, only(report).position());
        assertTrue(done.size() > 5);
        assertEquals(0, done.getLast());
        store.close();
    }

    @Test
    void shouldReachTheTotalWhenReportingProgress() {
        final long[] last = {-1, 0};
        store.close();
        StoreChecker.check(store.file(), (done, total) -> {
            assertTrue(done >= last[0] && done <= total);
            last[0] = done;
            last[1] = total;
        });
        assertEquals(last[1], last[0]);
        assertTrue(last[1] > PAGES * 2000L);
    }

    @Test
    void shouldNamePagesWhoseBlocksAreDamaged() {
        final long lastByte = store.position(small, 500);
        final long ppn = store.journal().lookup(large.id(), 7);
        final Path killed = store.killedCopy("killed");
        TestStore.flip(killed, lastByte + 100);
        TestStore.flip(killed, TestStore.position(ppn)); // the checksum itself
        final StoreReport report = check(killed);
        assertEquals(2, report.defectCount());
        final Defect inLarge =
                report.defects().stream().filter(d -> "large".equals(d.volume())).findFirst().orElseThrow();
        assertEquals(Defect.Kind.PAGE, inLarge.kind());
        assertEquals(7, inLarge.lpn());
        assertEquals(ppn, inLarge.ppn());
        assertEquals(TestStore.position(ppn), inLarge.position());
        final Defect inSmall =
                report.defects().stream().filter(d -> "small".equals(d.volume())).findFirst().orElseThrow();
        assertEquals(500, inSmall.lpn());
        assertEquals(List.of("small"), inSmall.holders());
        assertEquals(PAGES + 20 + 5 + LARGE_PAGES, report.pages());
        store.close();
    }

    @Test
    void shouldNameTheLogBlockThatNoPageNeeds() {
        final long ppn = store.steal(small, 300, 1, 9);
        store.write(small, 600, 1, 9);
        final Path killed = store.killedCopy("killed");
        TestStore.flip(killed, TestStore.position(ppn) + 40);
        final Defect defect = only(check(killed));
        assertEquals(Defect.Kind.LOG_BLOCK, defect.kind());
        assertEquals(ppn, defect.ppn());
        store.close();
    }

    @Test
    void shouldGoOnWithOtherNodesWhenAMapNodeIsDamaged() {
        final long[] leaf = new long[2];
        final Path killed = store.killedCopy("killed");
        try (JournalInspection inspection = JournalInspection.open(FileDevice.open(killed, true), defect -> {})) {
            inspection.forEachBlock((owner, lpn, ppn, crc) -> {
                if (owner.role() == BlockOwner.Role.MAP_NODE && "small".equals(owner.volume()) && owner.level() == 0
                        && lpn == 512) {
                    leaf[0] = ppn;
                }
            });
        }
        TestStore.flip(killed, TestStore.position(leaf[0]) + 30);
        final StoreReport report = check(killed);
        final Defect defect = only(report);
        assertEquals(Defect.Kind.MAP_NODE, defect.kind());
        assertEquals("small", defect.volume());
        assertEquals(512, defect.lpn());
        assertEquals(List.of("small"), defect.holders());
        assertEquals(TestStore.position(leaf[0]), defect.position());
        // The pages of the other leaves, and those of this one that the log knows of.
        assertEquals(512 + 20 + 5 + LARGE_PAGES, report.pages());
        store.close();
    }

    @Test
    void shouldSayWhereTheLogIsRottenAndCheckTheCheckpoint() throws IOException {
        final Path killed = store.killedCopy("killed");
        final long position = firstCommitAfterCheckpoint(killed);
        TestStore.flip(killed, position + 88);
        final StoreReport report = check(killed);
        final Defect defect = only(report);
        assertEquals(Defect.Kind.LOG, defect.kind());
        assertEquals(position, defect.position());
        assertEquals(PAGES + 5 + LARGE_PAGES, report.pages());
        store.close();
    }

    /** Where the batch lies that follows the checkpoint's last one. */
    private static long firstCommitAfterCheckpoint(Path file) throws IOException {
        long best = -1;
        long bestSequence = Long.MAX_VALUE;
        try (FileChannel channel = FileChannel.open(file);
                java.lang.foreign.Arena arena = java.lang.foreign.Arena.ofConfined()) {
            final MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            long newest = 0;
            long cut = 0;
            for (long slot = 0; slot < 4; slot++) {
                if (all.get(LONG, (slot << 18) + 80) > newest) {
                    newest = all.get(LONG, (slot << 18) + 80);
                    cut = all.get(LONG, (slot << 18) + 104); // the checkpoint's last batch
                }
            }
            for (long at = TestStore.SEGMENTS_OFFSET; at < all.byteSize(); at += 4096) {
                final long sequence = all.get(LONG, at + 40);
                if (all.get(INT, at + 4) == 0x424D564B && sequence > cut && sequence < bestSequence) {
                    best = at;
                    bestSequence = sequence;
                }
            }
        }
        return best;
    }

    @Test
    void shouldReportASuperblockCopyThoughTheStoreOpens() {
        store.close();
        for (int slot = 0; slot < 4; slot++) {
            TestStore.flip(store.file(), (long) slot * (256 << 10) + 2000);
            final StoreReport report = check(store.file());
            final Defect defect = only(report);
            assertEquals(Defect.Kind.SUPERBLOCK, defect.kind());
            assertEquals((long) slot * (256 << 10), defect.position());
            assertEquals(3, report.superblockCopies());
            assertEquals(PAGES + 20 + 5 + LARGE_PAGES, report.pages());
            TestStore.flip(store.file(), (long) slot * (256 << 10) + 2000);
        }
        assertClean(check(store.file()));
    }

    @Test
    void shouldReportAStoreThatDoesNotOpen() {
        store.close();
        final long[] root = new long[1];
        try (JournalInspection inspection = JournalInspection.open(FileDevice.open(store.file(), true), d -> {})) {
            inspection.forEachBlock((owner, lpn, ppn, crc) -> {
                if (owner.role() == BlockOwner.Role.METADATA && lpn == 0) {
                    root[0] = ppn;
                }
            });
        }
        TestStore.flip(store.file(), TestStore.position(root[0]) + 30);
        final StoreReport report = check(store.file());
        assertEquals(Defect.Kind.METADATA, only(report).kind());
        assertEquals(0, report.pages());
        assertNull(report.segments());
        assertEquals(4, report.superblockCopies());

        TestStore.flip(store.file(), 0x40);
        TestStore.flip(store.file(), 0x40 + (512 << 10));
        assertEquals(3, check(store.file()).defectCount()); // two copies, and that none of their pair is left
    }

    @Test
    void shouldReportWhatLiesBehindTheEndOfACutDevice() throws IOException {
        final Path killed = store.killedCopy("killed");
        final long position = store.position(small, PAGES - 1);
        try (FileChannel channel = FileChannel.open(killed, java.nio.file.StandardOpenOption.WRITE)) {
            channel.truncate(position + 64);
        }
        final StoreReport report = check(killed);
        assertTrue(report.defectCount() > 0);
        store.close();
    }

    @Test
    void shouldThrowWhenItIsNoStoreOrInUse() throws IOException {
        assertEquals(
                ErrorCode.STORE_IN_USE,
                assertThrows(StorageException.class, () -> check(store.file())).code());
        store.close();
        final Path other = Files.write(directory.resolve("other"), new byte[2 << 20]);
        assertEquals(
                ErrorCode.WRONG_MAGIC, assertThrows(StorageException.class, () -> check(other)).code());
    }

    // ---- structures that are sealed and wrong: what a bug would leave ----

    @Test
    void shouldReportASegmentTableThatMiscounts() {
        final long ppn = store.journal().lookup(small.id(), 3);
        JournalInternals.of(store.journal()).addLive(ppn);
        store.close();
        final Defect defect = only(check(store.file()));
        assertEquals(Defect.Kind.LIVE_BYTES, defect.kind());
        assertEquals(TestStore.position(ppn) & -TestStore.SEGMENT_BYTES, defect.position());
    }

    @Test
    void shouldReportTwoPagesInOneBlock() {
        final long ppn = store.journal().lookup(small.id(), 3);
        JournalInternals.of(store.journal()).map(small, 4, ppn);
        store.close();
        final List<Defect> defects = check(store.file()).defects();
        // The block belongs to page 3, so page 4 cannot be read either.
        assertEquals(List.of(Defect.Kind.OVERLAP, Defect.Kind.PAGE), defects.stream().map(Defect::kind).sorted(
                java.util.Comparator.comparing(Enum::name)).toList());
        assertTrue(defects.stream().allMatch(d -> d.ppn() == ppn));
    }

    @Test
    void shouldReportABlockInAFreeSegment() {
        final long ppn = store.journal().lookup(large.id(), 20);
        final int inSegment = JournalInternals.of(store.journal()).declareFree(store.journal(), ppn);
        store.close();
        final StoreReport report = check(store.file());
        assertTrue(inSegment > 0);
        assertTrue(report.defects().stream()
                .anyMatch(d -> d.kind() == Defect.Kind.MAP_ENTRY && d.ppn() == ppn && d.lpn() == 20
                        && "large".equals(d.volume())), () -> report.defects().toString());
    }
}
