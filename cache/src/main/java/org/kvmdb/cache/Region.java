package org.kvmdb.cache;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.kvmdb.ffi.BadPage;
import org.kvmdb.ffi.Errno;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.LpnList;
import org.kvmdb.ffi.NativeFile;
import org.kvmdb.ffi.NativeRegion;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.SnapshotEntry;
import org.kvmdb.journal.Version;
import org.kvmdb.journal.VolumeEntry;

/**
 * A volume or a snapshot mapped into this process; a snapshot's memory is only read, and no write-back knows of it.
 * Thread-safe.
 *
 * <p>The arena bounds the life of the memory that users see: it is closed first, so that nobody touches the address
 * space when it goes. Native calls hold the lifecycle lock shared, closing takes it exclusively.
 */
public final class Region {

    /** A process has 128 TiB of address space for all of them, and each takes it twice. */
    private static final long GROWTH_RESERVE_BYTES_MAX = 4L << 40;

    private final PageCache cache;
    private final Version version;
    private final NativeRegion region;
    private final long reserveBytes;
    private final Scopes scopes;
    private final Pins pins;
    private final Copies copies;
    private final ReentrantReadWriteLock lifecycle = new ReentrantReadWriteLock();
    private boolean closed;

    private Arena arena = Arena.ofShared();
    private volatile MemorySegment memory;

    /** Errors up to here do not keep a commit from succeeding: they were rolled back. Under the write-back lock. */
    private long badMark;

    /** Reserved for the map nodes of pages that were stolen; released when they are committed. Under the write-back lock. */
    private long stolenReservedBytes;

    /** Where stealing goes on. Under the write-back lock. */
    private long stealCursor;

    /** Scratch. Under the write-back lock. */
    private final LpnList frozenPages = new LpnList();

    private final LpnList stolenPages = new LpnList();

    private volatile WriteAheadBarrier barrier;

    /** Asked by a commit after the freeze, before anything of it can become durable (rule 9 of docs/architecture.md). */
    public interface WriteAheadBarrier {
        long currentLsn();

        void flushTo(long lsn);
    }

    Region(PageCache cache, Version version, Path spillDirectory) {
        this.cache = cache;
        this.version = version;
        this.scopes = new Scopes(cache.scopeGate());
        this.pins = new Pins(cache, this);
        this.copies = new Copies(cache, this);
        this.reserveBytes = reserveBytes(version);
        this.region = isReadOnly() ? openReadOnly() : openWritable(spillDirectory);
        mapMemory();
    }

    private NativeRegion openReadOnly() {
        return NativeRegion.openReadOnly(
                cache.pool(),
                version.sizeBytes(),
                reserveBytes,
                version.pageShift(),
                version.familyId(),
                version.mapRoot());
    }

    private NativeRegion openWritable(Path spillDirectory) {
        final NativeFile spill = NativeFile.open(spillDirectory, NativeFile.UNNAMED);
        try {
            return NativeRegion.open(
                    cache.pool(),
                    version.sizeBytes(),
                    reserveBytes,
                    version.pageShift(),
                    version.familyId(),
                    version.mapRoot(),
                    spill.fd());
        } catch (RuntimeException | Error e) {
            spill.close();
            throw e;
        }
    }

    /** Whole granules of address space; of a volume four times its size, to grow into, or as much as there is some of. */
    private static long reserveBytes(Version version) {
        final long size = version.sizeBytes();
        final long wanted = version instanceof VolumeEntry ? size + Math.min(3 * size, GROWTH_RESERVE_BYTES_MAX) : size;
        return Math.ceilDiv(Math.max(wanted, 1), NativeRegion.GRANULE_BYTES) * NativeRegion.GRANULE_BYTES;
    }

    private void mapMemory() {
        final MemorySegment whole =
                MemorySegment.ofAddress(region.baseAddress()).reinterpret(version.sizeBytes(), arena, null);
        memory = isReadOnly() ? whole.asReadOnly() : whole;
    }

    public Version version() {
        return version;
    }

    /** The volume that it is; it is not a snapshot. */
    VolumeEntry volume() {
        return (VolumeEntry) version;
    }

    /** Whether it is a snapshot. */
    boolean isReadOnly() {
        return version instanceof SnapshotEntry;
    }

    /** What messages call it. */
    String title() {
        return (isReadOnly() ? "snapshot " : "volume ") + version.name();
    }

    NativeRegion nativeRegion() {
        return region;
    }

    /** The memory at its current size. */
    public MemorySegment memory() {
        final MemorySegment current = memory;
        if (!current.scope().isAlive()) {
            throw closedException();
        }
        return current;
    }

    // ---- scopes ----

    /** Opens a read scope: remembers how many bad pages there were, and makes known ones count again when touched. */
    public long beginRead() {
        return withRegion(() -> {
            // In this order: an error that is recorded in between is reported, or its zeros are dropped here.
            final long mark = region.badCount();
            region.unpoison();
            return mark;
        });
    }

    /** Ends a scope: throws when a page could not be had, or written, since it was opened. */
    public void endRead(long mark) {
        final StorageException failure = withRegion(() -> failureSince(mark));
        if (failure != null) {
            throw failure;
        }
    }

    public long beginWrite() {
        scopes.enter();
        try {
            return beginRead();
        } catch (RuntimeException | Error e) {
            scopes.leave();
            throw e;
        }
    }

    public void endWrite(long mark) {
        scopes.leave();
        endRead(mark);
    }

    Scopes scopes() {
        return scopes;
    }

    // ---- errors ----

    /** Pages that could not be had or written since the region was opened. */
    public long badPageCount() {
        return withRegion(region::badCount);
    }

    /** The exception for the first error after the mark that is still on record, or null when there was none. */
    private StorageException failureSince(long mark) {
        final long count = region.badCount();
        if (count == mark) {
            return null;
        }
        for (long number = mark + 1; number <= count; number++) {
            final BadPage bad = region.badPage(number);
            if (bad != null) {
                return exceptionFor(bad);
            }
        }
        return StorageException.corruptPage(version.name(), -1, 0, "%d pages could not be had".formatted(count - mark));
    }

    private StorageException exceptionFor(BadPage bad) {
        return switch (bad.cause()) {
            case BadPage.FULL ->
                new StorageException(
                        ErrorCode.STORE_FULL,
                        "store full: volume=%s lpn=%d could not become dirty%s; roll back, make space, write again"
                                .formatted(version.name(), bad.lpn(), bad.isWantOfRoom() ? "" : ": " + bad.describe()));
            case BadPage.READ_ONLY ->
                new StorageException(
                        ErrorCode.ILLEGAL_USE,
                        "%s is only read, and was written to: lpn=%d; clone it and write to the clone"
                                .formatted(title(), bad.lpn()));
            default -> StorageException.corruptPage(version.name(), bad.lpn(), bad.ppn(), bad.describe());
        };
    }

    /** Throws when something since the last commit or rollback must not become durable. Under the write-back lock. */
    void checkCommittable() {
        final StorageException failure = failureSince(badMark);
        if (failure != null) {
            throw failure;
        }
    }

    // ---- pages in memory ----

    /** Brings a range in and verifies it. */
    public void load(long offset, long lengthBytes) {
        checkRange(offset, lengthBytes);
        withRegion(() -> {
            final long mark = region.badCount();
            region.unpoison();
            if (lengthBytes > 0) {
                checkHad(region.load(lpn(offset), pages(offset, lengthBytes)), mark, offset, lengthBytes);
            }
            return null;
        });
    }

    /** Throws when a range could not be had: for a page of it that was recorded since the mark, or since the end is another by now. */
    private void checkHad(int result, long mark, long offset, long lengthBytes) {
        if (result < 0) {
            final StorageException failure = failureSince(mark);
            checkRange(offset, lengthBytes);
            throw failure != null ? failure : Errno.exception(result, "read %d bytes".formatted(lengthBytes));
        }
    }

    /** Asks for a range; returns at once. */
    public void prefetch(long offset, long lengthBytes) {
        checkRange(offset, lengthBytes);
        if (lengthBytes > 0) {
            cache.prefetcher().request(this, lpn(offset), pages(offset, lengthBytes));
        }
    }

    /** Brings pages in for the prefetcher; does nothing on a region that was closed meanwhile. */
    void prefetchPages(long lpn, long pages) {
        lifecycle.readLock().lock();
        try {
            if (!closed) {
                region.prefetch(lpn, pages);
            }
        } finally {
            lifecycle.readLock().unlock();
        }
    }

    /** Copies out of the region; no page of it is delivered wrong. */
    public void read(long offset, MemorySegment destination) {
        checkRange(offset, destination.byteSize());
        copies.read(offset, destination);
    }

    Copies copies() {
        return copies;
    }

    /** Copies a piece to native memory of the store's own. */
    void readPiece(long offset, long lengthBytes, MemorySegment destination) {
        withRegion(() -> {
            final long mark = region.badCount();
            checkHad(region.read(offset, lengthBytes, destination), mark, offset, lengthBytes);
            return null;
        });
    }

    /** Begins to read what calls are about to ask for: see {@link NativeRegion#readAhead}. */
    long readAhead(long offset, long lengthBytes) {
        return withRegion(() -> region.readAhead(offset, lengthBytes));
    }

    /** Copies into the region. What is larger than may be dirty in memory goes to the log at once. */
    public void write(long offset, MemorySegment source) {
        checkRange(offset, source.byteSize());
        final long mark = beginRead();
        copies.write(offset, source);
        endRead(mark);
    }

    /** Makes clean pages of a range that are in memory ready to be written to. Returns whether some are not in memory. */
    boolean expectWrites(long offset, long lengthBytes) {
        return withRegion(() -> region.expectWrites(lpn(offset), pages(offset, lengthBytes)));
    }

    /** Writes whole pages that are not in memory from native memory of the store's own: see {@link NativeRegion#writeMissing}. */
    long writeMissing(long offset, long lengthBytes, MemorySegment source) {
        return withRegion(() -> region.writeMissing(offset, lengthBytes, source));
    }

    /** Keeps a range in memory; returns what undoes it. */
    public Runnable pin(long offset, long lengthBytes, boolean forWrite) {
        checkRange(offset, lengthBytes);
        return pins.pin(lpn(offset), pages(offset, lengthBytes), forWrite);
    }

    /** Pins pages in memory, no more. */
    void pinPages(long lpn, long pages, boolean forWrite) {
        withRegion(() -> {
            final long mark = region.badCount();
            final int result = region.pin(lpn, pages, forWrite);
            if (result < 0) {
                final StorageException failure = failureSince(mark);
                throw failure != null
                        ? failure
                        : Errno.exception(result, "pin %d pages of %s".formatted(pages, version.name()));
            }
            return null;
        });
    }

    /** Undoes {@link #pinPages}; does nothing on a region that was closed meanwhile. */
    void unpinPages(long lpn, long pages) {
        lifecycle.readLock().lock();
        try {
            if (!closed) {
                region.unpin(lpn, pages);
            }
        } finally {
            lifecycle.readLock().unlock();
        }
    }

    Pins pins() {
        return pins;
    }

    // ---- write-back: under the write-back lock ----

    WriteAheadBarrier barrier() {
        return barrier;
    }

    public void barrier(WriteAheadBarrier newBarrier) {
        barrier = newBarrier;
    }

    /** Forgets errors: what followed them is gone. */
    void forgive() {
        final long mark = region.badCount();
        region.unpoison();
        badMark = mark;
    }

    void holdStolenReservation(long bytes) {
        stolenReservedBytes += bytes;
    }

    /** Takes what is held for stolen pages, to release it. */
    long takeStolenReservation() {
        final long bytes = stolenReservedBytes;
        stolenReservedBytes = 0;
        return bytes;
    }

    long stealCursor() {
        return stealCursor;
    }

    void stealCursor(long lpn) {
        stealCursor = Math.max(lpn, 0);
    }

    /** The list for pages that are frozen next; it is used again by each freeze. */
    LpnList emptyFrozenList() {
        frozenPages.clear();
        return frozenPages;
    }

    /** Blocks of stolen pages from an LPN on; the list is used again by the next call. */
    LpnList stolenFrom(long lpn) {
        stolenPages.clear();
        region.stolen(lpn, stolenPages);
        return stolenPages;
    }

    /** Changes the size of the mapping after (growing) or before (shrinking) the catalog's. */
    void resizeMapping(long sizeBytes) {
        region.resize(sizeBytes);
        mapMemory();
    }

    void checkCanGrowTo(long sizeBytes) {
        if (sizeBytes > reserveBytes) {
            throw new StorageException(
                    ErrorCode.BUSY,
                    "volume %s can grow to %d bytes while it is mapped, asked for %d: close and open the store, do it first"
                            .formatted(version.name(), reserveBytes, sizeBytes));
        }
    }

    /** The root of the map may be another one by now. Whoever calls last has read the newest. */
    synchronized void refreshRoot() {
        lifecycle.readLock().lock();
        try {
            if (!closed) {
                region.mapRoot(version.mapRoot());
            }
        } finally {
            lifecycle.readLock().unlock();
        }
    }

    /** Drops every page: the map has another content by now, and the catalog another size. */
    void replaceContent() {
        region.replace(version.sizeBytes());
        mapMemory();
    }

    // ---- life ----

    boolean isClosed() {
        return closed;
    }

    /** Invalidates the memory; BUSY when a native call is using it. */
    void closeMemory() {
        try {
            if (arena.scope().isAlive()) {
                arena.close();
            }
        } catch (IllegalStateException e) {
            throw new StorageException(
                    ErrorCode.BUSY,
                    "memory of %s is in use by a native call; close again when it has returned".formatted(title()),
                    e);
        }
    }

    /** Undoes {@link #closeMemory}: segments handed out before stay invalid. */
    void reopenMemory() {
        if (!arena.scope().isAlive()) {
            arena = Arena.ofShared();
            mapMemory();
        }
    }

    /** Unmaps the region, after its memory was closed. */
    void close() {
        lifecycle.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                region.close();
            }
        } finally {
            lifecycle.writeLock().unlock();
        }
    }

    private <T> T withRegion(Supplier<T> action) {
        lifecycle.readLock().lock();
        try {
            if (closed) {
                throw closedException();
            }
            return action.get();
        } finally {
            lifecycle.readLock().unlock();
        }
    }

    StorageException closedException() {
        return new StorageException(ErrorCode.CLOSED, "%s is closed".formatted(title()));
    }

    private void checkRange(long offset, long lengthBytes) {
        final long size = memory().byteSize();
        if (offset < 0 || lengthBytes < 0 || offset > size - lengthBytes) {
            throw new IndexOutOfBoundsException(
                    "range beyond the end: offset=%d length=%d size=%d".formatted(offset, lengthBytes, size));
        }
    }

    private long lpn(long offset) {
        return offset >>> version.pageShift();
    }

    private long pages(long offset, long lengthBytes) {
        return lengthBytes == 0 ? 0 : lpn(offset + lengthBytes - 1) - lpn(offset) + 1;
    }
}
