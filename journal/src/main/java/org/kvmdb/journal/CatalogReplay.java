package org.kvmdb.journal;

import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.StorageException;

/** Replays records of the catalog. A record may be hostile, so each is checked before it is applied. */
final class CatalogReplay {

    private final Catalog catalog;
    private final CatalogChanges changes;

    /** Most records are of pages, and follow others of their volume; null after a record of the catalog. */
    private VolumeEntry lastVolume;

    CatalogReplay(Catalog catalog, PageMap map) {
        this.catalog = catalog;
        this.changes = new CatalogChanges(catalog, map);
    }

    /** Whether it is a record of the catalog, which is then applied. */
    boolean apply(Records.Entry record) {
        lastVolume = null;
        switch (record.kind()) {
            case RecordDescriptor.KIND_VOLUME_CREATE -> createVolume(record);
            case RecordDescriptor.KIND_VOLUME_DELETE -> deleteVolume(record);
            case RecordDescriptor.KIND_VOLUME_RESIZE -> resize(record);
            case RecordDescriptor.KIND_VOLUME_RENAME -> rename(record);
            case RecordDescriptor.KIND_QUOTA -> quota(record);
            case RecordDescriptor.KIND_SNAPSHOT_CREATE -> createSnapshot(record);
            case RecordDescriptor.KIND_SNAPSHOT_DELETE -> changes.deleteSnapshot(snapshot(record.volume()));
            case RecordDescriptor.KIND_CLONE -> cloneSnapshot(record);
            case RecordDescriptor.KIND_ROLLBACK -> rollback(record);
            default -> {
                return false;
            }
        }
        return true;
    }

    /** Not for records of the catalog: what one has deleted is not to be found any more. */
    VolumeEntry volumeOf(Records.Entry record) {
        if (lastVolume == null || lastVolume.id() != record.volume()) {
            lastVolume = volume(record.volume());
        }
        return lastVolume;
    }

    private VolumeEntry volume(int id) {
        final VolumeEntry volume = catalog.find(id);
        if (volume == null) {
            throw Corrupt.store("a record names volume %d, which does not exist".formatted(id));
        }
        return volume;
    }

    private SnapshotEntry snapshot(long id) {
        final SnapshotEntry snapshot = id == (int) id ? catalog.findSnapshot((int) id) : null;
        if (snapshot == null) {
            throw Corrupt.store("a record names snapshot %d, which does not exist".formatted(id));
        }
        return snapshot;
    }

    private void checkNewId(long id) {
        if (id < 1 || id >= Integer.MAX_VALUE || catalog.findVersion((int) id) != null) {
            throw Corrupt.store("a record makes a version with the id %d, which cannot be".formatted(id));
        }
    }

    private static void checkName(String name) {
        if (!CatalogLoader.isName(name) || name.indexOf('@') >= 0) {
            throw Corrupt.store("a record gives a version an impossible name, of %d characters".formatted(name.length()));
        }
    }

    private void createVolume(Records.Entry record) {
        final String name = record.name(0);
        checkName(name);
        checkNewId(record.volume());
        CatalogLoader.checkVersion(record.volume(), name, record.first(), record.info(), record.second());
        checkPossible(() -> changes.checkFree(name));
        changes.createVolume(record.volume(), name, record.first(), record.info(), record.second());
    }

    private void deleteVolume(Records.Entry record) {
        final VolumeEntry volume = volume(record.volume());
        if (!catalog.snapshotsOf(volume).isEmpty()) {
            throw Corrupt.store("a record deletes volume %s, which has snapshots".formatted(volume.name()));
        }
        changes.deleteVolume(volume);
    }

    private void resize(Records.Entry record) {
        final VolumeEntry volume = volume(record.volume());
        if (record.first() < 0
                || Version.pageCount(record.first(), volume.pageShift()) > MapNodeDescriptor.LPN_LIMIT) {
            throw Corrupt.store("a record resizes volume %s to %d bytes".formatted(volume.name(), record.first()));
        }
        changes.resize(volume, record.first());
    }

    private void rename(Records.Entry record) {
        final String name = record.name(0);
        checkName(name);
        checkPossible(() -> changes.checkFree(name));
        changes.rename(volume(record.volume()), name);
    }

    private void quota(Records.Entry record) {
        if (record.first() < 0) {
            throw Corrupt.store("a record sets a quota of %d bytes".formatted(record.first()));
        }
        volume(record.volume()).quotaBytes(record.first());
    }

    private void createSnapshot(Records.Entry record) {
        final VolumeEntry source = volume(record.volume());
        final VolumeEntry owner = volume(record.tailInt(SnapshotTailDescriptor.OWNER_ID_OFFSET));
        final int id = record.tailInt(SnapshotTailDescriptor.SNAPSHOT_ID_OFFSET);
        final String name = record.name(SnapshotTailDescriptor.SNAPSHOT_NAME_OFFSET);
        checkName(name);
        checkNewId(id);
        checkPossible(() -> changes.checkFree(owner, name));
        if (owner.familyId() != source.familyId() || catalog.epoch() >= Integer.MAX_VALUE - 1) {
            throw Corrupt.store("a record takes an impossible snapshot: %s@%s".formatted(owner.name(), name));
        }
        changes.createSnapshot(source, id, owner, name, record.first(), record.second());
    }

    private void cloneSnapshot(Records.Entry record) {
        final String name = record.name(0);
        checkName(name);
        checkNewId(record.volume());
        checkPossible(() -> changes.checkFree(name));
        changes.cloneSnapshot(snapshot(record.first()), record.volume(), name);
    }

    private void rollback(Records.Entry record) {
        final VolumeEntry volume = volume(record.volume());
        final SnapshotEntry snapshot = snapshot(record.first());
        checkNewId(record.second());
        if (snapshot.volume() != volume) {
            throw Corrupt.store("a record rolls volume %s back to %s".formatted(volume.name(), snapshot.name()));
        }
        changes.rollback(volume, snapshot, (int) record.second());
    }

    private static void checkPossible(Runnable check) {
        try {
            check.run();
        } catch (StorageException e) {
            throw Corrupt.store("a record makes what there is already: " + e.getMessage());
        }
    }
}
