package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Deleting snapshots: what is refused, and what comes back. */
@Timeout(120)
class SnapshotDeletionTest extends SmallStoreTest {

    private static final int PAGES = 100;

    private static void commitPages(Volume volume, int version) {
        TestStores.writePages(volume, 1, 0, PAGES, version);
        volume.commit();
    }

    /** In the order of the years, against it, and from the middle: what is left is whole, and the rest comes back. */
    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2})
    void shouldGiveBackWhatOnlyDeletedSnapshotsHeld(long seed) throws InterruptedException {
        final int count = 20;
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(16 << 20));
            TestStores.writePages(volume, 1, 0, 500, 1);
            volume.commit();
            store.checkpoint();
            final long before = store.statistics().log().liveBytes();
            final List<Integer> order = new ArrayList<>();
            for (int s = 0; s < count; s++) {
                TestStores.writePages(volume, 1, 500 + s * 10, 520 + s * 10, 2 + s);
                volume.snapshot("s" + s);
                order.add(s);
            }
            TestStores.writePages(volume, 1, 500, 500 + count * 10 + 10, 0xff);
            volume.commit();
            store.checkpoint();
            final long full = store.statistics().log().liveBytes();
            Collections.shuffle(order, new Random(seed));
            for (int s : order) {
                final Snapshot snapshot = store.snapshotNamed("v@s" + s);
                TestStores.checkPages(snapshot, 1, 510 + s * 10, 520 + s * 10, 2 + s);
                snapshot.release();
                snapshot.delete();
            }
            TestStores.await("deletion", () -> store.deletionProgress().isDone());
            assertEquals(0, store.deletionProgress().waiting());
            store.checkpoint();
            store.checkpoint(); // nodes that the first replaced
            final long after = store.statistics().log().liveBytes();
            final long own = (count * 10 + 10) * 4096L;
            assertTrue(full > before + 2 * own - count * 10 * 4096L / 2, "live %d, then %d".formatted(before, full));
            assertTrue(after <= before + own + 64 * 1024, "live %d, %d with snapshots, then %d".formatted(before, full, after));
            TestStores.checkPages(volume, 1, 0, 500, 1);
            TestStores.checkPages(volume, 1, 500, 500 + count * 10 + 10, 0xff);
        }
    }

    @Test
    void shouldRefuseToDeleteWhatIsMappedUntilItIsReleased() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 1);
            final Snapshot snapshot = volume.snapshot("s");
            TestStores.checkPages(snapshot, 1, 0, 1, 1);
            final StoreException e = assertThrows(StoreBusyException.class, snapshot::delete);
            assertTrue(e.getMessage().contains("v@s is mapped"), e.getMessage());
            TestStores.checkPages(snapshot, 1, 0, PAGES, 1);
            snapshot.release();
            snapshot.delete();
            assertThrows(NoSuchSnapshotException.class, () -> store.snapshotNamed("v@s"));
            assertThrows(StoreClosedException.class, snapshot::memory);
            assertThrows(NoSuchSnapshotException.class, snapshot::delete);
            final Snapshot again = volume.snapshot("s");
            TestStores.checkPages(again, 1, 0, PAGES, 1);
        }
    }

    @Test
    void shouldDeleteSeveralOrNone() {
        try (Store store = create();
                Store other = Store.create(directory.resolve("other"), TestStores.small())) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 1);
            final List<Snapshot> snapshots = new ArrayList<>();
            for (int s = 0; s < 5; s++) {
                snapshots.add(volume.snapshot("s" + s));
            }
            snapshots.get(2).cloneAs("clone");
            TestStores.checkPages(snapshots.get(4), 1, 0, 1, 1); // mapped
            assertThrows(StoreBusyException.class, () -> store.deleteSnapshots(snapshots.subList(0, 3)));
            assertThrows(StoreBusyException.class, () -> store.deleteSnapshots(snapshots.subList(3, 5)));
            assertEquals(5, store.snapshots().size());
            final long flushes = store.statistics().log().flushes();
            store.deleteSnapshots(List.of(snapshots.get(0), snapshots.get(1), snapshots.get(3), snapshots.get(0)));
            assertEquals(flushes + 1, store.statistics().log().flushes());
            assertEquals(List.of("s2", "s4"), volume.snapshots().stream().map(Snapshot::name).toList());
            assertThrows(
                    NoSuchSnapshotException.class,
                    () -> store.deleteSnapshots(List.of(snapshots.get(2), snapshots.get(0))));
            store.deleteSnapshots(List.of());
            final Snapshot foreign = other.createVolume("v", TWO_MIB).snapshot("s2");
            assertThrows(IllegalUseException.class, () -> store.deleteSnapshots(List.of(foreign)));
        }
    }

    @Test
    void shouldRefuseToDeleteAVolumeThatHasSnapshots() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            commitPages(volume, 1);
            volume.snapshot("one");
            volume.snapshot("two");
            TestStores.writePages(volume, 1, 0, 1, 2);
            final StoreException e = assertThrows(StoreBusyException.class, () -> store.deleteVolume("v"));
            assertTrue(e.getMessage().contains("v@one, v@two"), e.getMessage());
            TestStores.checkPages(volume, 1, 0, 1, 2); // not even unmapped
            volume.snapshots().forEach(Snapshot::delete);
            store.deleteVolume("v");
            assertFalse(store.volumes().contains(volume));
            assertEquals(List.of(), store.snapshots());
        }
    }
}
