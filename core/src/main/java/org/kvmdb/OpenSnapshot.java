package org.kvmdb;

import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.util.List;
import org.kvmdb.journal.SnapshotEntry;
import org.kvmdb.journal.VolumeEntry;

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
    public StreamSummary send(OutputStream output, Snapshot from, StreamProgress progress) throws IOException {
        final SnapshotEntry base = from == null ? null : store.call(() -> store.snapshotsOfStore().entryOf(from));
        return store.streams().send(entry, base, output, progress);
    }

    @Override
    public void diff(Snapshot newer, ChangeVisitor visitor) {
        final SnapshotEntry to = store.call(() -> store.snapshotsOfStore().entryOf(newer));
        ExceptionMapper.run(() -> store.streams().diff(entry, to, visitor));
    }

    @Override
    public void diff(Volume newer, ChangeVisitor visitor) {
        final VolumeEntry to = store.call(() -> store.ours(newer).entry());
        ExceptionMapper.run(() -> store.streams().diff(entry, to, visitor));
    }

    @Override
    public void release() {
        store.run(() -> store.unmap(this));
    }

    @Override
    public void delete() {
        store.deleteSnapshots(List.of(this));
    }

    @Override
    public String toString() {
        return "snapshot " + fullName();
    }
}
