package org.kvmdb.journal;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/** The volumes by name and by id. Changed under the append lock, read by any thread. */
final class Catalog {

    private final Map<Integer, VolumeEntry> byId = new ConcurrentHashMap<>();
    private final Map<String, VolumeEntry> byName = new ConcurrentHashMap<>();
    private int nextId = 1;

    int nextId() {
        return nextId;
    }

    void nextId(int id) {
        nextId = id;
    }

    List<VolumeEntry> volumes() {
        final List<VolumeEntry> result = new ArrayList<>(byId.values());
        result.sort(Comparator.comparingInt(VolumeEntry::id));
        return result;
    }

    boolean contains(String name) {
        return byName.containsKey(name);
    }

    VolumeEntry volume(String name) {
        final VolumeEntry entry = byName.get(name);
        if (entry == null) {
            throw new StorageException(ErrorCode.NO_SUCH_VOLUME, "no such volume: " + name);
        }
        return entry;
    }

    VolumeEntry volume(int id) {
        final VolumeEntry entry = byId.get(id);
        if (entry == null) {
            throw new StorageException(ErrorCode.NO_SUCH_VOLUME, "no such volume: id " + id);
        }
        return entry;
    }

    /** The entry, or null. */
    VolumeEntry find(int id) {
        return byId.get(id);
    }

    void add(VolumeEntry entry) {
        byId.put(entry.id(), entry);
        byName.put(entry.name(), entry);
        nextId = Math.max(nextId, entry.id() + 1);
    }

    void remove(VolumeEntry entry) {
        entry.markDeleted();
        byId.remove(entry.id());
        byName.remove(entry.name());
    }
}
