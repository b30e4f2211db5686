package org.kvmdb;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import org.kvmdb.cache.Region;
import org.kvmdb.journal.Version;

/** Common part of the volumes and snapshots of an open store: readable memory, mapped on demand. */
abstract class OpenVersion {

    final OpenStore store;
    private final Version entry;
    private volatile Region region;

    OpenVersion(OpenStore store, Version entry) {
        this.store = store;
        this.entry = entry;
    }

    boolean isOf(OpenStore other) {
        return store == other;
    }

    final Version version() {
        return entry;
    }

    final Region region() {
        final Region mapped = region;
        return mapped != null ? mapped : store.map(this);
    }

    /** Null after unmapping. Called under the store's mapping lock. */
    final void region(Region mapped) {
        region = mapped;
    }

    public long sizeBytes() {
        return entry.sizeBytes();
    }

    public int pageSizeBytes() {
        return 1 << entry.pageShift();
    }

    public long committedLsn() {
        return entry.lsn();
    }

    public long referencedBytes() {
        return entry.referencedBytes();
    }

    public boolean isMapped() {
        return region != null;
    }

    public MemorySegment memory() {
        return store.call(() -> region().memory());
    }

    public void prefetch(long offset, long lengthBytes) {
        store.run(() -> region().prefetch(offset, lengthBytes));
    }

    public void load(long offset, long lengthBytes) {
        store.run(() -> region().load(offset, lengthBytes));
    }

    public void read(long offset, MemorySegment destination) {
        store.run(() -> region().read(offset, destination));
    }

    public Scope readScope() {
        final Region mapped = store.call(() -> region());
        final long mark = store.call(mapped::beginRead);
        return once(() -> mapped.endRead(mark));
    }

    public long badPageCount() {
        return store.call(() -> region().badPageCount());
    }

    final Pin pin(long offset, long lengthBytes, boolean forWrite) {
        // What closes it comes first: there may be no memory for it once pages are pinned.
        final Runnable[] unpin = new Runnable[1];
        final Pin pin = once(() -> unpin[0].run())::close;
        store.run(() -> unpin[0] = region().pin(offset, lengthBytes, forWrite));
        return pin;
    }

    /**
     * Makes closing idempotent: a scope closed explicitly, which may have thrown, may be closed again by a try block.
     */
    static Scope once(Runnable end) {
        final AtomicBoolean open = new AtomicBoolean(true);
        return () -> {
            if (open.getAndSet(false)) {
                ExceptionMapper.run(end);
            }
        };
    }
}
