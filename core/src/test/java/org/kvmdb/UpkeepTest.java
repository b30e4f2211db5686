package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Scrubs and the account of space, of a store in use. */
class UpkeepTest extends SmallStoreTest {

    private static final int PAGES = 4000;

    /** Flips a bit of each copy of a block; the cleaner may have left dead ones. Odd pages do not compress, so they are found. */
    private void rot(long marker) throws IOException {
        final Path file = TestStores.dataFile(directory.resolve("s"));
        final ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.nativeOrder());
        int found = 0;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            for (int at = 0; at <= bytes.capacity() - Long.BYTES; at += 16) {
                if (bytes.getLong(at) == marker) {
                    channel.write(ByteBuffer.wrap(new byte[] {(byte) (bytes.get(at + 1000) ^ 4)}), at + 1000);
                    found++;
                }
            }
        }
        assertTrue(found > 0, "the page's block was not found");
    }

    private static ScrubReport scrub(Store store) {
        return store.scrub(ScrubOptions.defaults(), ScrubProgress.NONE);
    }

    /** A volume larger than the cache, a snapshot of it, a clone of that; each differs in some pages. */
    private static Volume fill(Store store) {
        final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(PAGES << 12));
        TestStores.writePages(volume, 1, 0, PAGES, 1);
        final Snapshot snapshot = store.snapshot("before", List.of(volume)).getFirst();
        TestStores.writePages(volume, 1, 0, 100, 2);
        final Volume clone = snapshot.cloneAs("clone");
        TestStores.writePages(clone, 1, 200, 300, 3);
        store.commit();
        return volume;
    }

    @Test
    void shouldReportBadBlocksWithAllThatHoldThem() throws IOException {
        try (Store store = create()) {
            fill(store);
            store.checkpoint();
            final ScrubReport clean = scrub(store);
            assertTrue(clean.isClean() && clean.isFinished() && !clean.isResumed());
            assertEquals(PAGES + 200, clean.pages());
            rot(PageContent.identity(1, 51, 1));
            rot(PageContent.identity(1, 53, 2));
            rot(PageContent.identity(1, 1001, 1));
            final ScrubReport report = scrub(store);
            assertEquals(3, report.badCount(), report::toString);
            assertEquals(clean.pages(), report.pages(), "the rest is read all the same");
            assertEquals(Set.of("v@before", "clone"), holders(report, 51));
            assertEquals(Set.of("v"), holders(report, 53));
            assertEquals(Set.of("v", "v@before", "clone"), holders(report, 1001));
            assertEquals("v@before", bad(report, 1001).volume());
        }
    }

    private static ScrubReport.BadBlock bad(ScrubReport report, long lpn) {
        return report.badBlocks().stream().filter(block -> block.lpn() == lpn).findFirst().orElseThrow();
    }

    private static Set<String> holders(ScrubReport report, long lpn) {
        return Set.copyOf(bad(report, lpn).holders());
    }

    @Test
    void shouldGoOnWithAnInterruptedScrubInTheNextProcess() {
        final long[] seen = new long[1];
        try (Store store = create()) {
            fill(store);
            store.checkpoint();
            final ScrubReport first = store.scrub(ScrubOptions.defaults(), (doneBytes, totalBytes) -> {
                seen[0] = doneBytes;
                return doneBytes < totalBytes / 2;
            });
            assertFalse(first.isFinished());
            assertEquals(seen[0], first.bytes());
        }
        try (Store store = open()) {
            final long[] least = {Long.MAX_VALUE};
            final ScrubReport second = store.scrub(ScrubOptions.defaults(), (doneBytes, totalBytes) -> {
                least[0] = Math.min(least[0], doneBytes);
                return true;
            });
            assertTrue(second.isFinished() && second.isResumed() && second.isClean());
            assertTrue(least[0] > seen[0] / 4, least[0] + " of " + seen[0]);
            assertEquals(PAGES + 200, second.pages());
            store.scrub(ScrubOptions.defaults(), (doneBytes, totalBytes) -> doneBytes < totalBytes / 2);
            assertFalse(store.scrub(ScrubOptions.defaults().withRestart(true), ScrubProgress.NONE).isResumed());
        }
    }

    @Test
    void shouldAccuseNobodyWhileTheStoreIsWrittenAndSnapshotsComeAndGo() throws InterruptedException, ExecutionException {
        try (Store store = create();
                ExecutorService pool = Executors.newSingleThreadExecutor()) {
            final Volume volume = fill(store);
            final AtomicBoolean over = new AtomicBoolean();
            final Future<?> writer = pool.submit(() -> {
                for (int i = 10; !over.get(); i++) {
                    TestStores.writePages(volume, 1, i * 37L % 3000, i * 37L % 3000 + 200, i);
                    final Snapshot snapshot = store.snapshot("s" + i, List.of(volume)).getFirst();
                    if (i % 3 != 0) {
                        snapshot.delete();
                    }
                    if (i % 7 == 0) {
                        store.checkpoint();
                    }
                }
            });
            try {
                for (int round = 0; round < 5; round++) {
                    final ScrubReport report = scrub(store);
                    assertTrue(report.isClean() && report.isFinished(), report::toString);
                    assertTrue(report.pages() >= PAGES, report.pages() + " pages");
                    final SpaceReport space = store.space();
                    assertTrue(!space.isExact() || space.addsUp(), space::toString);
                }
            } finally {
                over.set(true);
            }
            writer.get();
            assertTrue(store.space().addsUp());
        }
    }

    @Test
    void shouldScrubOneAtATimeAndEndWhenTheStoreIsClosed() {
        try (Store store = create()) {
            fill(store);
            final boolean[] refused = new boolean[1];
            final Runnable close = store::close;
            assertThrows(StoreClosedException.class, () -> store.scrub(ScrubOptions.defaults(), (doneBytes, totalBytes) -> {
                assertThrows(StoreBusyException.class, () -> scrub(store));
                refused[0] = true;
                close.run();
                return true;
            }));
            assertTrue(refused[0]);
        }
        try (Store store = open()) {
            assertTrue(scrub(store).isResumed());
            assertThrows(IllegalArgumentException.class, () -> ScrubOptions.defaults().withBytesPerSecond(-1));
        }
    }

    @Test
    void shouldAccountForEveryByte() {
        try (Store store = create()) {
            final Volume volume = fill(store);
            store.checkpoint();
            final SpaceReport report = store.space();
            assertTrue(report.isExact() && report.addsUp());
            assertEquals(
                    List.of("clone", "v", "v@before"),
                    report.holders().stream().map(SpaceReport.Holder::name).toList());
            final SpaceReport.Holder clone = report.holders().get(0);
            final SpaceReport.Holder head = report.holders().get(1);
            final SpaceReport.Holder before = report.holders().get(2);
            assertEquals("v@before", clone.origin());
            assertNull(head.origin());
            assertTrue(before.isSnapshot() && !head.isSnapshot());
            assertEquals(PAGES, before.pages());
            assertEquals(head.referencedBytes(), head.uniqueBytes() + head.sharedBytes());
            assertTrue(head.compressionRatio() > 1 && head.compressionRatio() < 4, "" + head.compressionRatio());
            // What the snapshot holds, and what the two others have besides: each block once.
            assertEquals(
                    before.referencedBytes() + head.uniqueBytes() + clone.uniqueBytes(), report.use().pageBytes());
            // Nothing is the snapshot's alone: where one heir differs the other does not.
            assertEquals(0, before.uniqueBytes());
            assertEquals(0, report.reserve().dirtyBytes());
            assertTrue(report.use().metadataBytes() > 0 && report.use().metadataBytes() < 64 << 10);
            TestStores.writePages(volume, 1, 0, 10, 9);
            final long reserved = store.space().reserve().dirtyBytes();
            assertTrue(reserved >= 10 * (4096 + 128), "" + reserved);
            store.rollback();
            assertEquals(0, store.space().reserve().dirtyBytes());
        }
    }

    @Test
    void shouldFreeWhatWasUniqueWhenAVolumeIsDeleted() throws InterruptedException {
        try (Store store = create()) {
            fill(store);
            store.checkpoint();
            final SpaceReport before = store.space();
            final SpaceReport.Holder clone = before.holders().getFirst();
            store.deleteVolume("clone");
            TestStores.await("deletion", () -> store.deletionProgress().isDone());
            store.checkpoint();
            final SpaceReport after = store.space();
            assertTrue(after.isExact() && after.addsUp());
            assertEquals(clone.uniqueBytes(), before.use().pageBytes() - after.use().pageBytes());
            assertTrue(clone.uniqueNodeBytes() > 0 && after.use().nodeBytes() < before.use().nodeBytes());
            assertEquals(0, after.deletedBytes());
        }
    }
}
