package org.kvmdb.cache;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/** Pages of one region that are kept in memory. Its content is not replaced, nor unmapped alone, while there are any. Thread-safe. */
final class Pins {

    private final PageCache cache;
    private final Region region;
    /** Held shared by who pins, exclusively while the content is replaced. */
    private final ReentrantReadWriteLock gate = new ReentrantReadWriteLock();

    private final AtomicInteger count = new AtomicInteger();

    Pins(PageCache cache, Region region) {
        this.cache = cache;
        this.region = region;
    }

    /** Keeps pages in memory; returns what undoes it. */
    Runnable pin(long lpn, long pages, boolean forWrite) {
        final long bytes = pages << region.version().pageShift();
        // Before there is anything to undo: there may be no memory for it afterwards.
        final Runnable unpin = () -> unpin(lpn, pages, forWrite, bytes);
        cache.reservePins(bytes);
        try {
            if (forWrite) {
                region.scopes().addWritePin();
            }
            try {
                pinPages(lpn, pages, forWrite);
            } catch (RuntimeException | Error e) {
                if (forWrite) {
                    region.scopes().removeWritePin();
                }
                throw e;
            }
        } catch (RuntimeException | Error e) {
            cache.releasePins(bytes);
            throw e;
        }
        return unpin;
    }

    private void unpin(long lpn, long pages, boolean forWrite, long bytes) {
        region.unpinPages(lpn, pages);
        count.decrementAndGet();
        if (forWrite) {
            region.scopes().removeWritePin();
        }
        cache.releasePins(bytes);
    }

    private void pinPages(long lpn, long pages, boolean forWrite) {
        gate.readLock().lock();
        try {
            region.memory(); // throws when it was closed since the caller looked: then it is about to be unmapped
            region.pinPages(lpn, pages, forWrite);
            count.incrementAndGet();
        } finally {
            gate.readLock().unlock();
        }
    }

    /** Runs what takes the content away while nothing is pinned. */
    void whileNone(Runnable action) {
        whileNoneBegins(() -> {
            if (count.get() > 0) {
                throw new StorageException(
                        ErrorCode.BUSY, "pages of %s are pinned: close the pins".formatted(region.title()));
            }
            action.run();
        });
    }

    /** Runs what takes some pages away while no pin begins. It refuses those that are pinned itself. */
    void whileNoneBegins(Runnable action) {
        gate.writeLock().lock();
        try {
            action.run();
        } finally {
            gate.writeLock().unlock();
        }
    }
}
