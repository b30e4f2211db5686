package org.kvmdb;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.kvmdb.cache.Region;
import org.kvmdb.journal.VolumeEntry;

/** A volume of an open store. */
final class OpenVolume extends OpenVersion implements Volume {

    private final VolumeEntry entry;

    OpenVolume(OpenStore store, VolumeEntry entry) {
        super(store, entry);
        this.entry = entry;
    }

    VolumeEntry entry() {
        return entry;
    }

    @Override
    public String name() {
        return entry.name();
    }

    @Override
    public void commit() {
        store.commit(List.of(this));
    }

    @Override
    public void rollback() {
        store.rollback(List.of(store.call(() -> region())));
    }

    // ---- snapshots ----

    @Override
    public Snapshot snapshot(String name) {
        return store.snapshot(name, List.of(this)).getFirst();
    }

    @Override
    public Snapshot snapshotCommitted(String name) {
        return store.snapshotCommitted(name, List.of(this)).getFirst();
    }

    @Override
    public List<Snapshot> snapshots() {
        return store.call(() -> store.snapshotsOfStore().of(entry));
    }

    @Override
    public Snapshot snapshotNamed(String name) {
        return store.call(() -> store.snapshotsOfStore().named(entry, name));
    }

    @Override
    public void rollbackTo(Snapshot snapshot) {
        store.run(() -> store.snapshotsOfStore().rollbackTo(this, snapshot));
    }

    // ---- size ----

    @Override
    public void resize(long sizeBytes) {
        store.resize(this, sizeBytes);
    }

    @Override
    public void quota(long bytes) {
        store.quota(entry, bytes);
    }

    @Override
    public long quotaBytes() {
        return entry.quotaBytes();
    }

    // ---- memory ----

    @Override
    public Pin pin(long offset, long lengthBytes, PinMode mode) {
        return pin(offset, lengthBytes, mode == PinMode.WRITE);
    }

    @Override
    public void write(long offset, MemorySegment source) {
        store.run(() -> region().write(offset, source));
    }

    @Override
    public Scope writeScope() {
        final WriteScope scope = new WriteScope();
        store.run(scope::begin);
        return scope;
    }

    /**
     * A write scope. Closing it on another thread throws and leaves it open; otherwise its own thread could no longer
     * close it, and commits would wait for ever. What ends it is made before it begins, when there may be no memory left.
     */
    private final class WriteScope implements Scope {
        private final Thread owner = Thread.currentThread();
        private final Runnable end = this::end;
        private Region region;
        private long mark;
        private boolean open;

        void begin() {
            region = region();
            mark = region.beginWrite();
            open = true;
        }

        @Override
        public void close() {
            if (Thread.currentThread() != owner) {
                throw new IllegalStateException("a write scope belongs to the thread that opened it: " + owner.getName());
            }
            if (open) {
                open = false;
                ExceptionMapper.run(end);
            }
        }

        private void end() {
            region.endWrite(mark);
        }
    }

    @Override
    public void writeAheadLog(WriteAheadLog log) {
        store.run(() -> region().barrier(log == null ? null : new Barrier(log)));
    }

    private record Barrier(WriteAheadLog log) implements Region.WriteAheadBarrier {
        @Override
        public long currentLsn() {
            return log.currentLsn();
        }

        @Override
        public void flushTo(long lsn) {
            log.flushTo(lsn);
        }
    }

    @Override
    public String toString() {
        return "volume " + name();
    }
}
