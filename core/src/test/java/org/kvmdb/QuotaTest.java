package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Quotas: a commit that would go beyond fails alone, before any change. */
@Timeout(120)
class QuotaTest extends SmallStoreTest {

    /** Block of a page with an odd LPN: it does not compress. */
    private static final long BLOCK_BYTES = 4096 + 64;

    private static Volume makeVolume(Store store, String name) {
        return store.createVolume(name, VolumeOptions.ofSizeBytes(64 << 20));
    }

    /** Pages that do not compress. */
    private static void writeRaw(Volume volume, int from, int to, int version) {
        for (long lpn = 2L * from + 1; lpn < 2L * to; lpn += 2) {
            PageContent.write(TestStores.page(volume, lpn), 1, lpn, version);
        }
    }

    private static void checkRaw(Volume volume, int from, int to, int version) {
        for (long lpn = 2L * from + 1; lpn < 2L * to; lpn += 2) {
            PageContent.check(TestStores.page(volume, lpn), 1, lpn, version);
        }
    }

    @Test
    void shouldRefuseWhatGoesBeyondAndTakeWhatJustFits() {
        try (Store store = create()) {
            final Volume volume = makeVolume(store, "v");
            volume.quota(10 * BLOCK_BYTES);
            assertEquals(10 * BLOCK_BYTES, volume.quotaBytes());
            writeRaw(volume, 0, 10, 1);
            volume.commit();
            assertEquals(10 * BLOCK_BYTES, volume.referencedBytes());
            writeRaw(volume, 5, 10, 2); // in place of what is there
            volume.commit();
            writeRaw(volume, 10, 11, 1);
            writeRaw(volume, 0, 5, 3);
            final StoreException e = assertThrows(QuotaExceededException.class, volume::commit);
            assertTrue(e.getMessage().contains("volume v: quota=41600"), e.getMessage());
            assertThrows(QuotaExceededException.class, () -> volume.snapshot("s"));
            assertEquals(List.of(), volume.snapshots());
            assertEquals(10 * BLOCK_BYTES, volume.referencedBytes());
            checkRaw(volume, 0, 5, 3); // still there, not committed
            volume.rollback();
            checkRaw(volume, 0, 5, 1);
            checkRaw(volume, 5, 10, 2);
            checkRaw(volume, 10, 11, 0);
            writeRaw(volume, 10, 11, 1);
            volume.quota(11 * BLOCK_BYTES);
            volume.commit();
            writeRaw(volume, 11, 40, 1);
            volume.quota(0);
            volume.commit();
            assertEquals(40 * BLOCK_BYTES, volume.referencedBytes());
            assertThrows(IllegalUseException.class, () -> volume.quota(-1));
        }
    }

    @Test
    void shouldKeepTheQuotaWhenOpenedAgain() {
        try (Store store = create()) {
            makeVolume(store, "v").quota(5 * BLOCK_BYTES);
        }
        try (Store store = Store.open(directory.resolve("s"), TestStores.small())) {
            final Volume volume = store.volume("v");
            assertEquals(5 * BLOCK_BYTES, volume.quotaBytes());
            writeRaw(volume, 0, 6, 1);
            assertThrows(QuotaExceededException.class, store::commit);
        }
    }

    @Test
    void shouldLetAVolumeBeyondALoweredQuotaChangeAndShrink() {
        try (Store store = create()) {
            final Volume volume = makeVolume(store, "v");
            writeRaw(volume, 0, 20, 1);
            volume.commit();
            volume.quota(10 * BLOCK_BYTES);
            writeRaw(volume, 0, 20, 2);
            volume.commit();
            writeRaw(volume, 20, 21, 1);
            assertThrows(QuotaExceededException.class, volume::commit);
            volume.rollback();
            volume.resize(20 * 4096); // ten of them
            writeRaw(volume, 0, 10, 3);
            volume.commit();
            checkRaw(volume, 0, 10, 3);
        }
    }

    /** Snapshots share: what a volume refers to is not what it alone holds. */
    @Test
    void shouldCountWhatIsSharedOnce() {
        try (Store store = create()) {
            final Volume volume = makeVolume(store, "v");
            volume.quota(10 * BLOCK_BYTES);
            for (int version = 1; version <= 5; version++) {
                writeRaw(volume, 0, 10, version);
                volume.snapshot("s" + version);
            }
            final Volume clone = volume.snapshotNamed("s1").cloneAs("clone");
            assertEquals(10 * BLOCK_BYTES, clone.referencedBytes());
            writeRaw(clone, 10, 20, 1);
            clone.commit();
            volume.rollbackTo(volume.snapshotNamed("s2"));
            checkRaw(volume, 0, 10, 2);
        }
    }

    @Test
    void shouldCountPagesThatWereStolenToTheLog() {
        try (Store store = create()) {
            final Volume volume = makeVolume(store, "v");
            writeRaw(volume, 0, 2500, 1); // the cache holds a thousand
            volume.commit();
            volume.quota(2500 * BLOCK_BYTES);
            writeRaw(volume, 0, 2500, 2);
            writeRaw(volume, 0, 2500, 3);
            assertTrue(store.statistics().cache().stolenPages() > 0);
            volume.commit();
            assertEquals(2500 * BLOCK_BYTES, volume.referencedBytes());
            writeRaw(volume, 0, 2501, 4);
            assertThrows(QuotaExceededException.class, volume::commit);
            volume.rollback();
            checkRaw(volume, 0, 2500, 3);
            writeRaw(volume, 0, 2500, 5);
            volume.commit();
            checkRaw(volume, 0, 2500, 5);
        }
    }

    /** Commits of several threads share a group: only those of the volume at its quota fail. */
    @Test
    void shouldFailAloneInAGroup() throws Exception {
        try (Store store = create()) {
            final int others = 4;
            final int rounds = 40;
            final Volume limited = makeVolume(store, "limited");
            limited.quota(5 * BLOCK_BYTES);
            final List<Volume> volumes = new ArrayList<>();
            for (int v = 0; v < others; v++) {
                volumes.add(makeVolume(store, "v" + v));
            }
            final AtomicReference<Throwable> failure = new AtomicReference<>();
            final AtomicInteger refused = new AtomicInteger();
            final CountDownLatch start = new CountDownLatch(1);
            final List<Thread> threads = new ArrayList<>();
            for (Volume volume : volumes) {
                threads.add(run(failure, start, () -> {
                    for (int round = 1; round <= rounds; round++) {
                        writeRaw(volume, 0, 20, round);
                        volume.snapshot("s" + round);
                        volume.snapshotNamed("s" + round).delete();
                    }
                }));
            }
            threads.add(run(failure, start, () -> {
                for (int round = 1; round <= rounds; round++) {
                    writeRaw(limited, 0, 3 + round % 4, round);
                    try {
                        limited.commit();
                    } catch (QuotaExceededException e) {
                        refused.incrementAndGet();
                        limited.rollback();
                    }
                }
            }));
            start.countDown();
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(null, failure.get());
            assertEquals(rounds / 4, refused.get());
            volumes.forEach(volume -> checkRaw(volume, 0, 20, rounds));
            checkRaw(limited, 0, 3, rounds);
            checkRaw(limited, 5, 6, 0);
        }
    }

    private static Thread run(AtomicReference<Throwable> failure, CountDownLatch start, Runnable action) {
        final Thread thread = new Thread(() -> {
            try {
                start.await();
                action.run();
            } catch (Throwable e) {
                failure.set(e);
            }
        });
        thread.start();
        return thread;
    }
}
