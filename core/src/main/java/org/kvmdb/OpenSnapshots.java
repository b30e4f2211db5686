package org.kvmdb;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.kvmdb.cache.PageCache;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.DropProgress;
import org.kvmdb.journal.Journal;
import org.kvmdb.journal.SnapshotEntry;
import org.kvmdb.journal.Versions;
import org.kvmdb.journal.VolumeEntry;

/** Takes, finds, clones, rolls back to and deletes the snapshots of an open store. Callers translate the exceptions. */
final class OpenSnapshots {

    /** Separates the name of a volume from that of its snapshot. */
    static final char SEPARATOR = '@';

    /** Limit of the snapshots that a message names. */
    private static final int NAMED_MAX = 10;

    private final OpenStore store;
    private final Versions versions;
    private final PageCache cache;
    private final Map<Integer, OpenSnapshot> open = new ConcurrentHashMap<>();

    OpenSnapshots(OpenStore store, Journal journal, PageCache cache) {
        this.store = store;
        this.versions = journal.versions();
        this.cache = cache;
    }

    Snapshot of(SnapshotEntry entry) {
        return open.computeIfAbsent(entry.id(), id -> new OpenSnapshot(store, entry));
    }

    // ---- finding ----

    List<Snapshot> all() {
        return versions.snapshots().stream()
                .filter(entry -> !OpenStore.isHidden(entry.volumeName()))
                .map(this::of)
                .toList();
    }

    List<Snapshot> of(VolumeEntry volume) {
        return versions.snapshots(volume.id()).stream().map(this::of).toList();
    }

    Snapshot named(VolumeEntry volume, String name) {
        return of(versions.snapshot(volume.name(), name));
    }

    Snapshot named(String fullName) {
        final int separator = fullName.indexOf(SEPARATOR);
        if (separator < 0) {
            throw new StorageException(
                    ErrorCode.ILLEGAL_USE, "not the name of a snapshot: '%s'; write volume@snapshot".formatted(fullName));
        }
        final String volumeName = fullName.substring(0, separator);
        OpenStore.checkNotHidden(volumeName);
        return of(versions.snapshot(volumeName, fullName.substring(separator + 1)));
    }

    // ---- taking ----

    /** Commits and takes the snapshots, in one batch. */
    List<Snapshot> take(String name, List<OpenVolume> volumes) {
        OpenStore.checkName("snapshot", name);
        if (!volumes.isEmpty()) {
            cache.commitWithSnapshots(volumes.stream().map(OpenVolume::region).toList(), name);
        }
        return volumes.stream().map(volume -> named(volume.entry(), name)).toList();
    }

    List<Snapshot> takeCommitted(String name, List<OpenVolume> volumes) {
        OpenStore.checkName("snapshot", name);
        if (!volumes.isEmpty()) {
            versions.createSnapshots(volumes.stream().map(volume -> volume.entry().id()).toList(), name);
        }
        return volumes.stream().map(volume -> named(volume.entry(), name)).toList();
    }

    // ---- what becomes of them ----

    /** Throws when the volume has snapshots, and therefore cannot be deleted. */
    void checkHasNone(VolumeEntry volume) {
        final List<Snapshot> held = of(volume);
        if (held.isEmpty()) {
            return;
        }
        final String names = held.stream().limit(NAMED_MAX).map(Snapshot::fullName).collect(Collectors.joining(", "));
        throw new StorageException(
                ErrorCode.BUSY,
                "volume %s has snapshots (%d): %s%s; delete them first"
                        .formatted(volume.name(), held.size(), names, held.size() > NAMED_MAX ? ", ..." : ""));
    }

    Volume cloneAs(OpenSnapshot snapshot, String volumeName) {
        OpenStore.checkName("volume", volumeName);
        return store.volumeOf(versions.cloneSnapshot(snapshot.entry().id(), volumeName));
    }

    void rollbackTo(OpenVolume volume, Snapshot snapshot) {
        final SnapshotEntry to = entryOf(snapshot);
        final VolumeEntry entry = volume.entry();
        if (to.volumeId() != entry.id()) {
            throw new StorageException(
                    ErrorCode.ILLEGAL_USE,
                    "%s is no snapshot of volume %s: clone it instead".formatted(to.name(), entry.name()));
        }
        final Runnable change = () -> versions.rollbackTo(entry.id(), to.id());
        if (!store.unlessMapped(entry, change)) {
            cache.replace(volume.region(), to.sizeBytes(), true, change);
        }
    }

    SnapshotEntry entryOf(Snapshot snapshot) {
        if (snapshot instanceof OpenSnapshot ours && ours.isOf(store)) {
            return ours.entry();
        }
        throw new StorageException(
                ErrorCode.ILLEGAL_USE, "snapshot %s is of another store".formatted(snapshot.fullName()));
    }

    void delete(Collection<Snapshot> snapshots) {
        final List<SnapshotEntry> entries = snapshots.stream().map(this::entryOf).toList();
        if (!entries.isEmpty()) {
            store.whileMappingStands(() -> {
                entries.forEach(this::checkNotMapped);
                versions.deleteSnapshots(entries.stream().map(SnapshotEntry::id).toList());
            });
            entries.forEach(entry -> open.remove(entry.id()));
        }
    }

    private void checkNotMapped(SnapshotEntry entry) {
        if (cache.isMapped(entry)) {
            throw new StorageException(
                    ErrorCode.BUSY,
                    "snapshot %s is mapped by process %d: release it there, then delete it"
                            .formatted(entry.name(), ProcessHandle.current().pid()));
        }
    }

    DeletionProgress deletionProgress() {
        return progress(versions.dropProgress());
    }

    static DeletionProgress progress(DropProgress progress) {
        return new DeletionProgress(
                progress.waiting(), progress.branching(), progress.page(), progress.pages(), progress.freedBytes());
    }
}
