package org.kvmdb.journal;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/** Volumes and snapshots by name and by id, and the tree of their versions. Changed under the append lock, read by any thread. */
final class Catalog {

    private final Map<Integer, VolumeEntry> volumesById = new ConcurrentSkipListMap<>();
    private final Map<String, VolumeEntry> volumesByName = new ConcurrentHashMap<>();
    private final Map<Integer, SnapshotEntry> snapshotsById = new ConcurrentSkipListMap<>();
    private final Map<String, SnapshotEntry> snapshotsByName = new ConcurrentHashMap<>();
    /** Deleted, and not dropped to the end. */
    private final Map<Integer, Version> deleted = new ConcurrentSkipListMap<>();
    private int nextId = 1;
    private int epoch = 1;
    private long entryBytes;

    /** Bytes that the entries of all versions take in a checkpoint. */
    long entryBytes() {
        return entryBytes;
    }

    int nextId() {
        return nextId;
    }

    void nextId(int id) {
        nextId = id;
    }

    /** The epoch that the next snapshot is taken in. */
    int epoch() {
        return epoch;
    }

    void epoch(int value) {
        epoch = value;
    }

    // ---- volumes ----

    List<VolumeEntry> volumes() {
        return List.copyOf(volumesById.values());
    }

    boolean contains(String name) {
        return volumesByName.containsKey(name);
    }

    VolumeEntry volume(String name) {
        final VolumeEntry entry = volumesByName.get(name);
        if (entry == null) {
            throw new StorageException(ErrorCode.NO_SUCH_VOLUME, "no such volume: " + name);
        }
        return entry;
    }

    VolumeEntry volume(int id) {
        final VolumeEntry entry = volumesById.get(id);
        if (entry == null) {
            throw new StorageException(ErrorCode.NO_SUCH_VOLUME, "no such volume: id " + id);
        }
        return entry;
    }

    /** The volume, or null. */
    VolumeEntry find(int id) {
        return volumesById.get(id);
    }

    void add(VolumeEntry entry) {
        volumesById.put(entry.id(), entry);
        volumesByName.put(entry.name(), entry);
        noteNew(entry);
    }

    void rename(VolumeEntry entry, String name) {
        final Collection<SnapshotEntry> own = snapshotsOf(entry);
        own.forEach(snapshot -> snapshotsByName.remove(snapshot.name()));
        volumesByName.remove(entry.name());
        entryBytes -= MetadataCodec.VersionImage.length(entry);
        entry.name(name);
        entryBytes += MetadataCodec.VersionImage.length(entry);
        volumesByName.put(name, entry);
        own.forEach(snapshot -> snapshotsByName.put(snapshot.name(), snapshot));
    }

    // ---- snapshots ----

    List<SnapshotEntry> snapshots() {
        return List.copyOf(snapshotsById.values());
    }

    List<SnapshotEntry> snapshotsOf(VolumeEntry volume) {
        return snapshotsById.values().stream().filter(snapshot -> snapshot.volume() == volume).toList();
    }

    boolean containsSnapshot(VolumeEntry volume, String name) {
        return snapshotsByName.containsKey(volume.name() + '@' + name);
    }

    SnapshotEntry snapshot(String volume, String name) {
        final SnapshotEntry entry = snapshotsByName.get(volume + '@' + name);
        if (entry == null) {
            volume(volume);
            throw new StorageException(
                    ErrorCode.NO_SUCH_SNAPSHOT, "no such snapshot: %s@%s".formatted(volume, name));
        }
        return entry;
    }

    SnapshotEntry snapshot(int id) {
        final SnapshotEntry entry = snapshotsById.get(id);
        if (entry == null) {
            throw new StorageException(ErrorCode.NO_SUCH_SNAPSHOT, "no such snapshot: id " + id);
        }
        return entry;
    }

    /** The snapshot, or null. */
    SnapshotEntry findSnapshot(int id) {
        return snapshotsById.get(id);
    }

    void add(SnapshotEntry entry) {
        snapshotsById.put(entry.id(), entry);
        snapshotsByName.put(entry.name(), entry);
        noteNew(entry);
    }

    // ---- versions ----

    /** All that hold something: volumes, snapshots, and what is deleted but not dropped, in order of their ids. */
    List<Version> versions() {
        final List<Version> result = new ArrayList<>(volumesById.size() + snapshotsById.size() + deleted.size());
        result.addAll(volumesById.values());
        result.addAll(snapshotsById.values());
        result.addAll(deleted.values());
        result.sort((a, b) -> Integer.compare(a.id(), b.id())); // Comparator's are serializable, which starts slowly
        return result;
    }

    /** The version, deleted or not, or null. */
    Version findVersion(int id) {
        final Version volume = volumesById.get(id);
        final Version found = volume != null ? volume : snapshotsById.get(id);
        return found != null ? found : deleted.get(id);
    }

    Collection<Version> deletedVersions() {
        return deleted.values();
    }

    /** Takes its name from it; it stays in the tree until it is dropped. */
    void delete(Version version) {
        version.markDeleted();
        switch (version) {
            case VolumeEntry volume -> {
                volumesById.remove(volume.id());
                volumesByName.remove(volume.name());
            }
            case SnapshotEntry snapshot -> {
                snapshotsById.remove(snapshot.id());
                snapshotsByName.remove(snapshot.name());
            }
        }
        deleted.put(version.id(), version);
    }

    void addDeleted(Version version) {
        deleted.put(version.id(), version);
        noteNew(version);
    }

    /** A deleted version that holds nothing any more: its child goes to its parent. */
    void removeDropped(Version version) {
        deleted.remove(version.id());
        entryBytes -= MetadataCodec.VersionImage.length(version);
        for (Version child : List.copyOf(version.children())) {
            child.parent(version.parentSnapshot());
        }
        version.parent(null);
    }

    private void noteNew(Version version) {
        entryBytes += MetadataCodec.VersionImage.length(version);
        nextId = Math.max(nextId, version.id() + 1);
    }
}
