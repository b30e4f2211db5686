package org.kvmdb.tools;

import java.util.List;
import org.kvmdb.Snapshot;
import org.kvmdb.Store;
import org.kvmdb.Volume;

/** What the commands on snapshots do with a store, whoever has it open. */
final class SnapshotOperations {

    private static final long DELETION_POLL_MILLIS = 10;

    private SnapshotOperations() {}

    /**
     * Takes snapshots of what the last commits left, of all volumes or of none.
     *
     * @param fullNames of one snapshot name
     */
    static List<Facts> create(Store store, List<String> fullNames) {
        List<Volume> volumes = fullNames.stream().map(SnapshotNames::volumeName).map(store::volume).toList();
        String name = SnapshotNames.snapshotName(fullNames.getFirst());
        return store.snapshotCommitted(name, volumes).stream().map(StoreFacts::of).toList();
    }

    /** @param volumeName null for those of all volumes */
    static List<Facts> list(Store store, String volumeName) {
        List<Snapshot> snapshots = volumeName == null ? store.snapshots() : store.volume(volumeName).snapshots();
        return snapshots.stream().map(StoreFacts::of).toList();
    }

    static void delete(Store store, String fullName) {
        store.snapshotNamed(fullName).delete();
    }

    /** Waits until what deleted snapshots and volumes held is freed, as far as it can be at present. */
    static void awaitDeletion(Store store) throws InterruptedException {
        while (!store.deletionProgress().isDone()) {
            Thread.sleep(DELETION_POLL_MILLIS);
        }
    }

    static Facts rollback(Store store, String fullName) {
        Snapshot snapshot = store.snapshotNamed(fullName);
        Volume volume = store.volume(snapshot.volumeName());
        volume.rollbackTo(snapshot);
        return StoreFacts.of(volume);
    }

    static Facts cloneAs(Store store, String fullName, String volumeName) {
        return StoreFacts.of(store.snapshotNamed(fullName).cloneAs(volumeName));
    }
}
