package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.gc.StoreChecker;
import org.kvmdb.gc.StoreReport;

/**
 * Snapshots and clones come and go in a small cache, under checkpoints, while threads fault pages of all of them in: each
 * page that is read is the one that the snapshot must hold. Another seed: {@code -Dkvmdb.storm.seed=…}, more rounds:
 * {@code -Dkvmdb.storm.rounds=…}.
 */
@Timeout(300)
class SnapshotStormTest {

    private static final long SEED = Long.getLong("kvmdb.storm.seed", 20260211);
    private static final int ROUNDS = Integer.getInteger("kvmdb.storm.rounds", 120);
    private static final int PAGES = 1500; // more than the cache holds
    private static final int KEPT = 6;
    private static final int READERS = 3;

    /** Little enough for the cleaner to have to move what snapshots hold. */
    private static final long MAX_BYTES = 56 << 20;

    @TempDir
    Path directory;

    /** A snapshot or a clone, what it holds, and what keeps it from being deleted while it is read. */
    private record Past(String name, Source source, int[] versions, ReadWriteLock lock) {
        Past(String name, Source source, int[] versions) {
            this(name, source, versions, new ReentrantReadWriteLock());
        }
    }

    private interface Source {
        void read(long offset, MemorySegment destination);
    }

    private final List<Past> pasts = new CopyOnWriteArrayList<>();
    private final AtomicBoolean over = new AtomicBoolean();
    private final AtomicLong reads = new AtomicLong();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final int[] versions = new int[PAGES];
    private final Random random = new Random(SEED);
    private Store store;
    private Volume volume;

    @Test
    void shouldNeverReadAPageOfAnotherTime() throws InterruptedException {
        final StoreOptions options = TestStores.small().withCheckpointRecords(3000).withMaxSizeBytes(MAX_BYTES);
        store = Store.create(directory.resolve("s"), options);
        try (Store _ = store) {
            volume = store.createVolume("v", VolumeOptions.ofSizeBytes(PAGES * 4096L));
            final List<Thread> readers = new ArrayList<>();
            for (int r = 0; r < READERS; r++) {
                final long seed = SEED + r;
                readers.add(new Thread(() -> readUntilOver(new Random(seed))));
                readers.getLast().start();
            }
            for (int round = 1; round <= ROUNDS && failure.get() == null; round++) {
                change(round);
                remember(round);
                if (pasts.size() > KEPT) {
                    forget(pasts.get(random.nextInt(pasts.size())));
                }
            }
            over.set(true);
            for (Thread reader : readers) {
                reader.join();
            }
            assertEquals(null, failure.get(), () -> "seed " + SEED);
            assertTrue(reads.get() > ROUNDS && store.statistics().cache().evictedPages() > 0);
            while (!pasts.isEmpty()) {
                forget(pasts.getLast());
            }
            checkPages("v", volume::read, versions, 0, PAGES);
        }
        final StoreReport report = StoreChecker.check(TestStores.dataFile(directory.resolve("s")), (done, total) -> {});
        assertTrue(report.isClean(), () -> report.defects().toString());
    }

    /** What finds no room is rolled back, and tried again when something was deleted. */
    private void change(int round) {
        final int writes = random.nextInt(8) == 0 ? PAGES : 1 + random.nextInt(60);
        final int first = random.nextInt(PAGES);
        while (true) {
            for (int i = 0; i < writes; i++) {
                writeQuietly((first + i) % PAGES, round);
            }
            try {
                volume.commit();
                break;
            } catch (StoreFullException e) {
                volume.rollback();
                forget(pasts.get(random.nextInt(pasts.size())));
                store.checkpoint();
            }
        }
        for (int i = 0; i < writes; i++) {
            versions[(first + i) % PAGES] = round;
        }
        if (random.nextInt(10) == 0) {
            store.checkpoint();
        }
    }

    /** A write without room raises an error; what counts is what the commit says. */
    private void writeQuietly(int lpn, int round) {
        try {
            PageContent.write(TestStores.page(volume, lpn), 1, lpn, round);
        } catch (InternalError e) {
            assertTrue(volume.badPageCount() > 0);
        }
    }

    private void remember(int round) {
        final Snapshot snapshot = volume.snapshot("s" + round);
        final Past past = new Past(snapshot.fullName(), snapshot::read, versions.clone());
        switch (random.nextInt(5)) {
            case 0 -> {
                // Its own past as a clone: written like the volume, from the snapshot on.
                final Volume clone = snapshot.cloneAs("c" + round);
                final int lpn = random.nextInt(PAGES);
                PageContent.write(TestStores.page(clone, lpn), 1, lpn, round + 100_000);
                clone.commit();
                final int[] changed = versions.clone();
                changed[lpn] = round + 100_000;
                pasts.add(new Past("c" + round, clone::read, changed));
            }
            case 1 -> {
                final Past back = pasts.stream().filter(p -> p.name.startsWith("v@")).findAny().orElse(past);
                volume.rollbackTo(store.snapshotNamed(back.name));
                System.arraycopy(back.versions, 0, versions, 0, PAGES);
            }
            default -> {}
        }
        pasts.add(past);
    }

    /** A snapshot that is cloned stays. */
    private void forget(Past past) {
        past.lock.writeLock().lock();
        try {
            if (past.name.startsWith("c")) {
                store.deleteVolume(past.name);
            } else {
                final Snapshot snapshot = store.snapshotNamed(past.name);
                snapshot.release();
                snapshot.delete();
            }
            pasts.remove(past);
        } catch (StoreBusyException e) {
            final String clone = "c" + past.name.substring("v@s".length());
            assertTrue(e.getMessage().contains(clone), e.getMessage());
            pasts.remove(past);
            pasts.addFirst(past);
        } finally {
            past.lock.writeLock().unlock();
        }
    }

    private void readUntilOver(Random choice) {
        try {
            while (!over.get()) {
                final List<Past> seen = List.copyOf(pasts);
                if (seen.isEmpty()) {
                    continue;
                }
                final Past past = seen.get(choice.nextInt(seen.size()));
                past.lock.readLock().lock();
                try {
                    if (pasts.contains(past)) {
                        final int from = choice.nextInt(PAGES);
                        final int to = Math.min(PAGES, from + 1 + choice.nextInt(20));
                        checkPages(past.name, past.source, past.versions, from, to);
                    }
                } finally {
                    past.lock.readLock().unlock();
                }
            }
        } catch (Throwable e) {
            failure.compareAndSet(null, e);
        }
    }

    private void checkPages(String name, Source source, int[] expected, int from, int to) {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment page = arena.allocate(4096);
            for (int lpn = from; lpn < to; lpn++) {
                source.read(lpn * 4096L, page);
                try {
                    PageContent.check(page, 1, lpn, expected[lpn]);
                } catch (AssertionError e) {
                    throw new AssertionError(name + ": " + e.getMessage(), e);
                }
                reads.incrementAndGet();
            }
        }
    }
}
