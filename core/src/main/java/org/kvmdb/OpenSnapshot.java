package org.kvmdb;

import java.time.Instant;
import org.kvmdb.journal.SnapshotEntry;

/** A snapshot of an open store. */
final class OpenSnapshot extends OpenVersion implements Snapshot {

    private final SnapshotEntry entry;

    OpenSnapshot(OpenStore store, SnapshotEntry entry) {
        super(store, entry);
        this.entry = entry;
    }

    SnapshotEntry entry() {
        return entry;
    }

    @Override
    public String name() {
        return entry.snapshotName();
    }

    @Override
    public String fullName() {
        return entry.name();
    }

    @Override
    public String volumeName() {
        return entry.volumeName();
    }

    @Override
    public Instant created() {
        return Instant.ofEpochMilli(entry.createdMillis());
    }

    @Override
    public Pin pin(long offset, long lengthBytes) {
        return pin(offset, lengthBytes, false);
    }

    @Override
    public Volume cloneAs(String volumeName) {
        return store.call(() -> store.snapshotsOfStore().cloneAs(this, volumeName));
    }

    @Override
    public void release() {
        store.run(() -> store.unmap(this));
    }

    @Override
    public void delete() {
        store.run(() -> store.snapshotsOfStore().delete(this));
    }

    @Override
    public String toString() {
        return "snapshot " + fullName();
    }
}
