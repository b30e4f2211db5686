package org.kvmdb.journal;

import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * What records of the catalog do to the catalog, the tree of versions and the maps: the same when they are written and when
 * they are replayed. Under the append lock; what is asked for was found possible before.
 */
final class CatalogChanges {

    private final Catalog catalog;
    private final PageMap map;

    CatalogChanges(Catalog catalog, PageMap map) {
        this.catalog = catalog;
        this.map = map;
    }

    /** What a new volume needs and may not have; then nothing has changed. */
    void prepareCreate() {
        map.prepareRoot();
    }

    VolumeEntry createVolume(int id, String name, long sizeBytes, int pageShift, long family) {
        final VolumeEntry volume = new VolumeEntry(id, name, sizeBytes, pageShift, family, 0);
        map.newRoot(volume);
        catalog.add(volume);
        return volume;
    }

    /** The volume is gone; what it holds is dropped piece by piece. */
    void deleteVolume(VolumeEntry volume) {
        map.forgetCached();
        catalog.delete(volume);
    }

    /** What a resize needs and may not have; then nothing has changed. */
    void prepareResize(VolumeEntry volume) {
        map.load(volume);
    }

    void resize(VolumeEntry volume, long sizeBytes) {
        map.resize(volume, sizeBytes);
    }

    void rename(VolumeEntry volume, String name) {
        catalog.rename(volume, name);
    }

    /** What the volume holds now stays as a snapshot, between it and what was its parent. */
    SnapshotEntry createSnapshot(
            VolumeEntry source, int id, VolumeEntry owner, String name, long guid, long createdMillis) {
        final SnapshotEntry snapshot = new SnapshotEntry(
                id, owner, name, source.sizeBytes(), source.lsn(), catalog.epoch(), guid, createdMillis);
        catalog.epoch(catalog.epoch() + 1);
        snapshot.parent(source.parentSnapshot());
        source.parent(snapshot);
        map.share(source, snapshot);
        catalog.add(snapshot);
        return snapshot;
    }

    void deleteSnapshot(SnapshotEntry snapshot) {
        catalog.delete(snapshot);
    }

    VolumeEntry cloneSnapshot(SnapshotEntry snapshot, int id, String name) {
        final VolumeEntry volume = new VolumeEntry(
                id, name, snapshot.sizeBytes(), snapshot.pageShift(), snapshot.familyId(), snapshot.lsn());
        volume.parent(snapshot);
        map.share(snapshot, volume);
        catalog.add(volume);
        return volume;
    }

    /** What a rollback to a version, or to a snapshot of it, needs and may not have; then nothing has changed. */
    void prepareRollback(VolumeEntry volume, Version to) {
        if (volume.mapUsers() > 0) {
            map.load(to);
        }
    }

    /** The head begins anew at a snapshot; what it held is a version of its own, deleted. */
    void rollback(VolumeEntry volume, SnapshotEntry snapshot, int abandonedId) {
        final VolumeEntry abandoned = new VolumeEntry(
                abandonedId, volume.name(), volume.sizeBytes(), volume.pageShift(), volume.familyId(), volume.lsn());
        abandoned.parent(volume.parentSnapshot());
        abandoned.markDeleted();
        map.share(volume, abandoned);
        catalog.addDeleted(abandoned);
        volume.parent(snapshot);
        volume.sizeBytes(snapshot.sizeBytes());
        volume.lsn(snapshot.lsn());
        prepareRollback(volume, snapshot);
        map.share(snapshot, volume);
    }

    // ---- what must hold ----

    void checkFree(String volumeName) {
        if (catalog.contains(volumeName)) {
            throw new StorageException(ErrorCode.VOLUME_EXISTS, "there is a volume already: " + volumeName);
        }
    }

    void checkFree(VolumeEntry volume, String snapshotName) {
        if (catalog.containsSnapshot(volume, snapshotName)) {
            throw new StorageException(
                    ErrorCode.SNAPSHOT_EXISTS,
                    "there is a snapshot already: %s@%s".formatted(volume.name(), snapshotName));
        }
    }
}
