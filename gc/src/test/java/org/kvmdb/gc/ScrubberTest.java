package org.kvmdb.gc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.BlockOwner;
import org.kvmdb.journal.SnapshotEntry;
import org.kvmdb.journal.Version;
import org.kvmdb.journal.Versions;
import org.kvmdb.journal.VolumeEntry;

class ScrubberTest {

    private static final int PAGES = 3000;

    @TempDir
    Path directory;

    private TestStore store;
    private VolumeEntry volume;
    private VolumeEntry clone;
    private SnapshotEntry first;
    private SnapshotEntry second;

    /**
     * A volume with two snapshots and a clone of the first. Pages 0 to 99 are the first snapshot's and the clone's alone,
     * 100 to 199 besides the second's, 200 to 299 differ in all but are the clone's of the first; the rest is shared by all.
     */
    @BeforeEach
    void makeStore() {
        store = new TestStore(directory.resolve("store.kvmdb"), TestStore.options());
        volume = store.volume("v", 12);
        store.write(volume, 0, PAGES, 1);
        first = snapshot("first");
        clone = versions().cloneSnapshot(first.id(), "clone");
        store.write(volume, 0, 100, 2);
        second = snapshot("second");
        store.write(volume, 100, 100, 3);
        store.write(clone, 5000, 50, 4);
        store.write(store.volume("large", 16), 0, 20, 5);
        store.journal().checkpoint();
    }

    @AfterEach
    void close() {
        store.close();
    }

    private Versions versions() {
        return store.journal().versions();
    }

    private SnapshotEntry snapshot(String name) {
        return versions().createSnapshots(Set.of(volume.id()), name).getFirst();
    }

    private Path state() {
        return directory.resolve("scrub.state");
    }

    private Scrubber scrubber() {
        return new Scrubber(store.journal(), state(), 0);
    }

    private ScrubResult scrub() {
        try (Scrubber scrubber = scrubber()) {
            while (scrubber.step()) {
                assertTrue(scrubber.doneBytes() <= scrubber.totalBytes());
            }
            return scrubber.result();
        }
    }

    private long liveBytes() {
        return store.journal().statistics().liveBytes();
    }

    private long ppn(Version version, long lpn) {
        return versions().lookup(version, lpn);
    }

    private void rot(long ppn) {
        TestStore.flip(store.file(), TestStore.position(ppn) + 40);
    }

    /** The stored node of a level that a page of a version lies under, among those that are own to it. */
    private long node(Version version, int level, long lpn) {
        final List<Long> found = new ArrayList<>();
        for (long at = 0; at >= 0; ) {
            at = store.journal().survey().own(version, at, 1000, (owner, first, ppn) -> {
                if (owner.role() == BlockOwner.Role.MAP_NODE && owner.level() == level && first >> 9 * (level + 1) == lpn >> 9 * (level + 1)) {
                    found.add(ppn);
                }
            }).nextLpn();
        }
        assertEquals(1, found.size());
        return found.getFirst();
    }

    private static ScrubDefect only(ScrubResult result) {
        assertEquals(1, result.defectCount(), () -> result.defects().toString());
        return result.defects().getFirst();
    }

    @Test
    void shouldReadEveryBlockOnceWhenNothingIsWrong() {
        final ScrubResult result = scrub();
        assertEquals(List.of(), result.defects());
        assertTrue(result.isFinished());
        assertFalse(result.isResumed());
        assertEquals(PAGES + 100 + 100 + 50 + 20, result.pages());
        assertEquals(liveBytes(), result.bytes());
        assertEquals(0, result.movedBlocks());
        assertFalse(Files.exists(state()));
    }

    @Test
    void shouldNameAllThatHoldABadPage() {
        final List<Version> owners = List.of(first, first, first, second, volume, clone);
        final long[] lpns = {50, 150, 2500, 70, 120, 5001};
        final List<Set<String>> holders = List.of(
                Set.of("v@first", "clone"),
                Set.of("v@first", "v@second", "clone"),
                Set.of("v@first", "v@second", "clone", "v"),
                Set.of("v@second", "v"),
                Set.of("v"),
                Set.of("clone"));
        for (int i = 0; i < lpns.length; i++) {
            rot(ppn(owners.get(i), lpns[i]));
        }
        final ScrubResult result = scrub();
        assertEquals(lpns.length, result.defectCount(), () -> result.defects().toString());
        assertEquals(liveBytes(), result.bytes(), "the rest is read all the same");
        for (int i = 0; i < lpns.length; i++) {
            final long ppn = ppn(owners.get(i), lpns[i]);
            final ScrubDefect defect =
                    result.defects().stream().filter(d -> d.ppn() == ppn).findFirst().orElseThrow();
            assertEquals(owners.get(i).name(), defect.volume());
            assertEquals(lpns[i], defect.lpn());
            assertEquals(1, defect.pages());
            assertEquals(TestStore.position(ppn), defect.position());
            assertEquals(holders.get(i), Set.copyOf(defect.holders()));
            assertTrue(defect.fact().startsWith("block checksum mismatch"), defect.fact());
            assertFalse(defect.isNode());
        }
    }

    @Test
    void shouldFindABadNodeOfAHeadWhoseMapIsInMemory() {
        rot(node(volume, 0, 100));
        final ScrubDefect defect = only(scrub());
        assertTrue(defect.isNode());
        assertEquals("v", defect.volume());
        assertEquals(0, defect.lpn());
        assertEquals(512, defect.pages());
        assertEquals(List.of("v"), defect.holders());
    }

    @Test
    void shouldReadWhatABadNodeOfASnapshotLeaves() {
        store.write(volume, 2048, 512, 6); // now the old leaf is the snapshots' alone
        store.journal().checkpoint();
        final long leaf = node(first, 0, 2048);
        rot(leaf);
        final long live = liveBytes();
        final ScrubResult result = scrub();
        final ScrubDefect defect = only(result);
        assertTrue(defect.isNode());
        assertEquals(2048, defect.lpn());
        assertEquals(leaf, defect.ppn());
        assertEquals(Set.of("v@first", "v@second", "clone"), Set.copyOf(defect.holders()));
        assertEquals(PAGES + 100 + 100 + 50 + 20, result.pages());
        assertTrue(result.bytes() < live && result.bytes() > live * 3 / 4, result.bytes() + " of " + live);
    }

    @Test
    void shouldFindABadRootOfASnapshot() {
        rot(node(first, 3, 0));
        final ScrubDefect defect = only(scrub());
        assertTrue(defect.isNode());
        assertEquals("v@first", defect.volume());
        assertEquals(first.pageCount(), defect.pages());
    }

    /** What snapshots refer to keeps its name when it is moved; a scrub reads it where it lies. */
    @Test
    void shouldFindABadBlockOfASnapshotWhereItWasMovedTo() {
        for (int lpn = 0; lpn < PAGES; lpn += 2) {
            store.write(volume, lpn, 1, 7);
        }
        versions().deleteSnapshot(second.id());
        final Cleaner cleaner = new Cleaner(store.journal(), new SegmentReclaimer(store.journal(), 2));
        while (versions().dropStep(500)) {
            Thread.onSpinWait();
        }
        store.journal().checkpoint();
        cleaner.compact(0, CleanerProgress.NONE);
        final List<Extent> moved = new ArrayList<>();
        for (long at = 0; at >= 0; ) {
            at = store.journal().survey().own(first, at, 1000, (owner, lpn, ppn) -> {
                if (owner.role() == BlockOwner.Role.PAGE && ppn != ppn(first, lpn)) {
                    moved.add(new Extent(owner, lpn, ppn, 0));
                }
            }).nextLpn();
        }
        assertTrue(moved.size() > 10, moved.size() + " moved");
        assertEquals(0, scrub().defectCount());
        assertTrue(SpaceCensus.take(store.journal()).addsUp());
        final Extent victim = moved.get(moved.size() / 2);
        rot(victim.ppn());
        final ScrubDefect defect = only(scrub());
        assertEquals(victim.lpn(), defect.lpn());
        assertEquals(victim.ppn(), defect.ppn());
        assertEquals(TestStore.position(victim.ppn()), defect.position());
        assertTrue(defect.holders().containsAll(List.of("v@first", "clone")), defect::toString);
    }

    private static boolean steps(Scrubber scrubber, int count) {
        boolean more = true;
        for (int i = 0; i < count && more; i++) {
            more = scrubber.step();
        }
        return more;
    }

    @Test
    void shouldGoOnAfterAnInterruptionAndAfterReopening() {
        rot(ppn(first, 3));
        long stepped = 0;
        for (boolean more = true; more; stepped++) {
            try (Scrubber scrubber = scrubber()) {
                assertEquals(stepped > 0, scrubber.result().isResumed());
                more = steps(scrubber, 5);
                if (!more) {
                    assertEquals(liveBytes(), scrubber.result().bytes(), "each block counts once");
                    assertEquals(List.of("v@first", "clone"), only(scrubber.result()).holders());
                }
            }
            assertEquals(more, Files.exists(state()));
            if (stepped == 1) {
                store.reopen();
            }
            assertTrue(stepped < 100, "it never ends");
        }
        assertTrue(stepped > 2, stepped + " runs");
        assertEquals(1, scrub().defectCount(), "the next one begins anew");
    }

    @Test
    void shouldBeginAnewWhenTheStateIsDamaged() throws IOException {
        try (Scrubber scrubber = scrubber()) {
            while (scrubber.doneBytes() == 0) {
                scrubber.step();
            }
            scrubber.step();
            scrubber.step();
        }
        final byte[] good = Files.readAllBytes(state());
        for (int at = 0; at < good.length - 1; at += 7) {
            final byte[] bad = good.clone();
            bad[at] ^= 1;
            Files.write(state(), bad);
            try (Scrubber scrubber = scrubber()) {
                assertFalse(scrubber.result().isResumed(), "flipped at " + at);
            }
        }
        Files.write(state(), new byte[0]);
        assertFalse(scrub().isResumed());
    }

    /** A directory with something in it stands for a file that cannot be removed. */
    @Test
    void shouldSayThatItCannotForgetAndFinishAllTheSame() throws IOException {
        Files.createDirectories(state().resolve("in the way"));
        final StorageException thrown = assertThrows(StorageException.class, () -> Scrubber.forget(state()));
        assertEquals(ErrorCode.IO, thrown.code());
        assertTrue(thrown.getMessage().contains(state().toString()), thrown.getMessage());
        assertTrue(scrub().isFinished());
    }

    @Test
    void shouldPauseAsTheRateAsksForAndWhenSomethingIsCommitted() {
        try (Scrubber scrubber = new Scrubber(store.journal(), state(), 1)) {
            while (scrubber.doneBytes() == 0) {
                scrubber.step();
            }
            assertTrue(scrubber.pauseNanos() > 1_000_000_000L * 1000, "" + scrubber.pauseNanos());
        }
        Scrubber.forget(state());
        try (Scrubber scrubber = scrubber()) {
            while (scrubber.step()) {
                assertEquals(0, scrubber.pauseNanos());
            }
        }
    }

    @Test
    void shouldAccuseNobodyWhileEverythingChanges() throws InterruptedException, ExecutionException {
        final long seed = 20261121;
        final AtomicBoolean over = new AtomicBoolean();
        try (ExecutorService writer = Executors.newSingleThreadExecutor()) {
            final Future<?> changes = writer.submit(() -> changeEverything(new Random(seed), over));
            final Set<Long> rotten = Set.of(ppn(first, 2900), ppn(second, 5));
            rotten.forEach(this::rot);
            for (int round = 0; round < 6; round++) {
                final ScrubResult result = scrub();
                assertEquals(
                        rotten, result.defects().stream().map(ScrubDefect::ppn).collect(Collectors.toSet()),
                        () -> result.defects().toString());
            }
            over.set(true);
            changes.get();
        }
    }

    /** Writes, takes snapshots, clones and deletes them, cleans, checkpoints: segments are freed and used again. */
    private void changeEverything(Random random, AtomicBoolean over) {
        final List<SnapshotEntry> snapshots = new ArrayList<>();
        for (int i = 0; !over.get(); i++) {
            store.write(volume, random.nextInt(2000), 1 + random.nextInt(300), 100 + i);
            if (random.nextInt(4) == 0) {
                snapshots.add(snapshot("s" + i));
            }
            if (snapshots.size() > 5) {
                versions().deleteSnapshot(snapshots.remove(random.nextInt(snapshots.size())).id());
            }
            if (random.nextInt(5) == 0) {
                while (versions().dropStep(200)) {
                    Thread.onSpinWait();
                }
                store.journal().checkpoint();
            }
            if (random.nextInt(10) == 0) {
                new Cleaner(store.journal(), new SegmentReclaimer(store.journal(), 2)).compact(0.1, CleanerProgress.NONE);
            }
            if (random.nextInt(20) == 0) {
                store.journal().deleteVolume(versions().cloneSnapshot(first.id(), "c" + i).id());
            }
        }
    }
}
