package org.kvmdb.gc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.JournalInternals;
import org.kvmdb.journal.SegmentSpace;
import org.kvmdb.journal.SnapshotEntry;
import org.kvmdb.journal.Version;
import org.kvmdb.journal.VersionSpace;
import org.kvmdb.journal.VolumeEntry;

class SpaceCensusTest {

    @TempDir
    Path directory;

    private TestStore store;

    @BeforeEach
    void makeStore() {
        store = new TestStore(directory.resolve("store.kvmdb"), TestStore.options());
    }

    @AfterEach
    void close() {
        store.close();
    }

    private SnapshotEntry snapshot(VolumeEntry volume, String name) {
        return store.journal().versions().createSnapshots(Set.of(volume.id()), name).getFirst();
    }

    private SpaceCensus census() {
        final SpaceCensus census = SpaceCensus.take(store.journal());
        assertTrue(census.isExact());
        final SegmentSpace s = census.segments();
        assertEquals(
                s.segmentBytes(),
                s.liveBytes() + s.stolenBytes() + s.deadBytes() + s.reclaimableBytes() + s.openBytes() + s.freeBytes()
                        + s.holeBytes());
        assertEquals(s.liveBytes(), census.pageBytes() + census.nodeBytes() + s.dyingNodeBytes(), census::toString);
        assertTrue(census.addsUp());
        return census;
    }

    private VersionSpace of(SpaceCensus census, Version version) {
        return census.versions().stream()
                .filter(entry -> entry.version() == version)
                .findFirst()
                .orElseThrow()
                .space();
    }

    private long bytes(Version version, long from, int count) {
        long sum = 0;
        for (long lpn = from; lpn < from + count; lpn++) {
            sum += Ppn.lengthBytes(store.journal().versions().lookup(version, lpn));
        }
        return sum;
    }

    /** What its heir shares with it is the heir's own from then on, and nothing was freed. */
    @Test
    void shouldNoticeThatADeletedVersionWentWhileItCounted() {
        final VolumeEntry volume = store.volume("v", 12);
        store.write(volume, 0, 200, 1);
        final SnapshotEntry snapshot = snapshot(volume, "s");
        store.journal().versions().deleteSnapshot(snapshot.id());
        final long before = store.journal().survey().change();
        final long freed = store.journal().versions().dropProgress().freedBytes();
        while (store.journal().versions().dropStep(100)) {
            assertEquals(freed, store.journal().versions().dropProgress().freedBytes());
        }
        assertNotEquals(before, store.journal().survey().change());
        census();
    }

    @Test
    void shouldSayWhatEachVersionHoldsAloneAndWithOthers() {
        final VolumeEntry volume = store.volume("v", 12);
        store.write(volume, 0, 1000, 1);
        final SnapshotEntry first = snapshot(volume, "first");
        store.write(volume, 0, 100, 2);
        final SnapshotEntry second = snapshot(volume, "second");
        store.write(volume, 50, 100, 3);
        final SpaceCensus census = census();
        assertEquals(bytes(first, 0, 1000), of(census, first).referencedBytes());
        assertEquals(1000, of(census, first).referencedPages());
        assertEquals(1L << 30, of(census, first).logicalBytes());
        // The second snapshot took over pages 0 to 99, the volume 50 to 149.
        assertEquals(bytes(first, 0, 100), of(census, first).uniqueBytes());
        assertEquals(bytes(second, 50, 50), of(census, second).uniqueBytes());
        assertEquals(bytes(volume, 50, 100), of(census, volume).uniqueBytes());
        assertEquals(
                bytes(first, 0, 1000) + bytes(second, 0, 100) + bytes(volume, 50, 100), census.pageBytes());
    }

    /** What "unique" promises: deleting it alone frees just that. */
    @Test
    void shouldFreeWhatItCalledUniqueWhenAVersionIsDeleted() {
        final Random random = new Random(5);
        final VolumeEntry volume = store.volume("v", 12);
        final List<SnapshotEntry> snapshots = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            store.write(volume, random.nextInt(3000), 200, i);
            snapshots.add(snapshot(volume, "s" + i));
        }
        store.journal().checkpoint();
        while (!snapshots.isEmpty()) {
            final SnapshotEntry victim = snapshots.remove(random.nextInt(snapshots.size()));
            final SpaceCensus before = census();
            final VersionSpace space = of(before, victim);
            store.journal().versions().deleteSnapshot(victim.id());
            while (store.journal().versions().dropStep(70)) {
                census();
            }
            store.journal().checkpoint();
            final SpaceCensus after = census();
            assertEquals(space.uniqueBytes(), before.pageBytes() - after.pageBytes());
            assertEquals(0, after.deletion().waiting());
        }
    }

    @RepeatedTest(6)
    void shouldAddUpWhateverIsDone(RepetitionInfo info) {
        final Random random = new Random(info.getCurrentRepetition());
        final List<VolumeEntry> volumes = new ArrayList<>(List.of(store.volume("a", 12), store.volume("b", 14)));
        final List<SnapshotEntry> snapshots = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            final VolumeEntry volume = volumes.get(random.nextInt(volumes.size()));
            switch (random.nextInt(11)) {
                case 0, 1, 2, 3 -> store.write(volume, random.nextInt(2000), 1 + random.nextInt(60), i);
                case 4 -> snapshots.add(snapshot(volume, "s" + i));
                case 5 -> {
                    if (!snapshots.isEmpty() && volumes.size() < 5) {
                        final SnapshotEntry source = snapshots.get(random.nextInt(snapshots.size()));
                        volumes.add(store.journal().versions().cloneSnapshot(source.id(), "c" + i));
                    }
                }
                case 6 -> deleteOne(random, snapshots);
                case 7 -> store.journal().versions().dropStep(1 + random.nextInt(50));
                case 8 -> store.journal().checkpoint();
                case 9 -> new Cleaner(store.journal(), new SegmentReclaimer(store.journal(), 2))
                        .compact(0.05, CleanerProgress.NONE);
                default -> {
                    final List<VolumeEntry> names = store.journal().volumes();
                    final List<Integer> ids = snapshots.stream().map(Version::id).toList();
                    final List<Integer> volumeIds = volumes.stream().map(Version::id).toList();
                    store.reopen();
                    assertEquals(names.size(), store.journal().volumes().size());
                    snapshots.clear();
                    ids.forEach(id -> snapshots.add(store.journal().versions().snapshot(id)));
                    volumes.clear();
                    volumeIds.forEach(id -> volumes.add(store.journal().volume(id)));
                }
            }
            census();
        }
    }

    private void deleteOne(Random random, List<SnapshotEntry> snapshots) {
        if (snapshots.isEmpty()) {
            return;
        }
        final SnapshotEntry victim = snapshots.get(random.nextInt(snapshots.size()));
        try {
            store.journal().versions().deleteSnapshot(victim.id());
            snapshots.remove(victim);
        } catch (StorageException e) {
            assertEquals(ErrorCode.BUSY, e.code()); // it is cloned
        }
    }

    @Test
    void shouldNotAddUpWhenABlockIsCountedTwice() {
        final VolumeEntry volume = store.volume("v", 12);
        store.write(volume, 0, 10, 1);
        JournalInternals.of(store.journal()).addLive(store.journal().lookup(volume.id(), 3));
        final SpaceCensus census = SpaceCensus.take(store.journal());
        assertTrue(census.isExact() && !census.addsUp());
    }
}
