package org.kvmdb;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.kvmdb.cache.Region;
import org.kvmdb.journal.VolumeEntry;

/** A volume of an open store; mapped when its memory is first asked for. */
final class OpenVolume implements Volume {

    private final OpenStore store;
    private final VolumeEntry entry;
    private volatile Region region;

    OpenVolume(OpenStore store, VolumeEntry entry) {
        this.store = store;
        this.entry = entry;
    }

    boolean isFor(VolumeEntry other) {
        return entry.id() == other.id();
    }

    boolean isOf(OpenStore other) {
        return store == other;
    }

    Region region() {
        Region mapped = region;
        if (mapped == null) {
            mapped = store.regionOf(entry);
            region = mapped;
        }
        return mapped;
    }

    @Override
    public String name() {
        return entry.name();
    }

    @Override
    public long sizeBytes() {
        return entry.sizeBytes();
    }

    @Override
    public int pageSizeBytes() {
        return 1 << entry.pageShift();
    }

    @Override
    public MemorySegment memory() {
        return store.call(() -> region().memory());
    }

    @Override
    public void commit() {
        store.commit(List.of(this));
    }

    @Override
    public void rollback() {
        store.rollback(List.of(store.call(this::region)));
    }

    @Override
    public void resize(long sizeBytes) {
        store.resize(this, sizeBytes);
    }

    @Override
    public void prefetch(long offset, long lengthBytes) {
        run(() -> region().prefetch(offset, lengthBytes));
    }

    @Override
    public void load(long offset, long lengthBytes) {
        run(() -> region().load(offset, lengthBytes));
    }

    @Override
    public Pin pin(long offset, long lengthBytes, PinMode mode) {
        final Runnable unpin = store.call(() -> region().pin(offset, lengthBytes, mode == PinMode.WRITE));
        final AtomicBoolean open = new AtomicBoolean(true);
        return () -> {
            if (open.getAndSet(false)) {
                unpin.run();
            }
        };
    }

    @Override
    public void read(long offset, MemorySegment destination) {
        run(() -> region().read(offset, destination));
    }

    @Override
    public void write(long offset, MemorySegment source) {
        run(() -> region().write(offset, source));
    }

    @Override
    public Scope readScope() {
        final long mark = store.call(() -> region().beginRead());
        return once(() -> region().endRead(mark));
    }

    @Override
    public Scope writeScope() {
        final long mark = store.call(() -> region().beginWrite());
        return once(() -> region().endWrite(mark));
    }

    /** Closing is idempotent: whoever closed a scope, and was told of a bad page, may leave it to a try block again. */
    private static Scope once(Runnable end) {
        final AtomicBoolean open = new AtomicBoolean(true);
        return () -> {
            if (open.getAndSet(false)) {
                ExceptionMapper.run(end);
            }
        };
    }

    @Override
    public void writeAheadLog(WriteAheadLog log) {
        run(() -> region().barrier(log == null ? null : new Barrier(log)));
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
    public long committedLsn() {
        return entry.lsn();
    }

    @Override
    public long badPageCount() {
        return store.call(() -> region().badPageCount());
    }

    private void run(Runnable action) {
        store.call(() -> {
            action.run();
            return null;
        });
    }
}
