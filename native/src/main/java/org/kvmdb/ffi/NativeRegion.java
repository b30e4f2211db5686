package org.kvmdb.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;

/**
 * A volume mapped into this process, in C ({@code region.h}, {@code write_back.h}). Its calls may run on any thread;
 * freeze, thaw, steal, rollback, resize and replace of one region are called by one thread at a time. The owner closes
 * it after everybody has stopped touching its memory.
 */
public final class NativeRegion implements AutoCloseable {

    /** Reservations are whole multiples of this: {@code REGION_GRANULE_BYTES}. */
    public static final long GRANULE_BYTES = 1L << 34;

    /** What {@link #freeze} takes together; more than it returns for at once would only make the buffers larger. */
    private static final long FREEZE_STEP = 4096;

    private static final int FREEZE_TO_STEAL = 1;
    private static final int FREEZE_FIELDS = 5;
    static final int OPTIONS_LENGTH = 7 * Long.BYTES;

    private static final int NO_SPILL = -1;
    private static final int READ_ONLY = 1;

    private long handle;
    private final int pageShift;
    private boolean closed;

    private NativeRegion(int pageShift) {
        this.pageShift = pageShift;
    }

    /**
     * @param sizeBytes whole pages
     * @param reserveBytes address space to grow into, whole granules
     * @param familyId what the volume's blocks are sealed with
     * @param mapRoot node of the map, 0 for an empty one
     * @param spillFd unnamed file for dirty pages that find no room; the region takes over its descriptor
     */
    public static NativeRegion open(
            NativePool pool, long sizeBytes, long reserveBytes, int pageShift, long familyId, int mapRoot, int spillFd) {
        return open(pool, sizeBytes, reserveBytes, pageShift, familyId, mapRoot, spillFd, 0);
    }

    /**
     * As {@link #open}, for memory that is only read: a write, through whatever address, is recorded and goes to who
     * handled SIGBUS before, as that to any read-only memory does.
     */
    public static NativeRegion openReadOnly(
            NativePool pool, long sizeBytes, long reserveBytes, int pageShift, long familyId, int mapRoot) {
        return open(pool, sizeBytes, reserveBytes, pageShift, familyId, mapRoot, NO_SPILL, READ_ONLY);
    }

    private static NativeRegion open(
            NativePool pool,
            long sizeBytes,
            long reserveBytes,
            int pageShift,
            long familyId,
            int mapRoot,
            int spillFd,
            int flags) {
        // Made before the mapping is: without memory for it that would be lost.
        final NativeRegion region = new NativeRegion(pageShift);
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment options = arena.allocateFrom(
                    ValueLayout.JAVA_LONG, sizeBytes, reserveBytes, pageShift, familyId, mapRoot, spillFd, flags);
            final MemorySegment handle = arena.allocate(ValueLayout.JAVA_LONG);
            final Object[] sizes = {sizeBytes, reserveBytes};
            Errno.check(
                    ShimLibrary.shim().kvmdb_region_open(pool.handle(), options.address(), handle.address()),
                    "map a region of %d bytes in %d bytes of address space",
                    sizes);
            region.handle = handle.get(ValueLayout.JAVA_LONG, 0);
            return region;
        }
    }

    public long baseAddress() {
        return ShimLibrary.shim().kvmdb_region_base(handle);
    }

    public void mapRoot(int node) {
        ShimLibrary.shim().kvmdb_region_map_root(handle, node);
    }

    public void resize(long sizeBytes) {
        Errno.check(ShimLibrary.shim().kvmdb_region_resize(handle, sizeBytes), "resize to %d bytes", sizeBytes);
    }

    /** Drops all pages: the region shows what its root says, at that size. No page is pinned. */
    public void replace(long sizeBytes) {
        Errno.check(
                ShimLibrary.shim().kvmdb_region_replace(handle, sizeBytes),
                "replace the content by %d bytes",
                sizeBytes);
    }

    /** Brings pages in; 0, or a negative errno: of a page that is bad (and recorded), or of a range beyond the end. */
    public int load(long lpn, long pages) {
        return ShimLibrary.shim().kvmdb_region_load(handle, lpn, pages);
    }

    /** Brings pages in, as far as they can be had. */
    public void prefetch(long lpn, long pages) {
        ShimLibrary.shim().kvmdb_region_prefetch(handle, lpn, pages);
    }

    /** Copies bytes to memory of no region; returns as {@link #load}. */
    public int read(long offset, long lengthBytes, MemorySegment destination) {
        return ShimLibrary.shim().kvmdb_region_read(handle, offset, lengthBytes, destination.address());
    }

    /**
     * Begins to read what calls are about to ask for, as far as there is memory for it; waits for nothing.
     *
     * @return the offset, of a page, where it stopped
     */
    public long readAhead(long offset, long lengthBytes) {
        return ShimLibrary.shim().kvmdb_region_read_ahead(handle, offset, lengthBytes);
    }

    /** Pins pages; 0, or a negative errno with none of them pinned. */
    public int pin(long lpn, long pages, boolean forWrite) {
        return ShimLibrary.shim().kvmdb_region_pin(handle, lpn, pages, forWrite ? 1 : 0);
    }

    public void unpin(long lpn, long pages) {
        ShimLibrary.shim().kvmdb_region_unpin(handle, lpn, pages);
    }

    /**
     * Makes pages that are in memory ready for writes that follow, which then need no signal each; a hint.
     *
     * @return whether some are not in memory, as far as it looked
     */
    public boolean expectWrites(long lpn, long pages) {
        return ShimLibrary.shim().kvmdb_region_expect_writes(handle, lpn, pages) > 0;
    }

    /**
     * Writes pages that are not in memory, as far as the range holds them whole, from memory of no region.
     *
     * @param lengthBytes of at most 64 pages
     * @return a set of those that it wrote: bit 0 is the page of the first byte; the others are to be written in memory
     */
    public long writeMissing(long offset, long lengthBytes, MemorySegment source) {
        return ShimLibrary.shim().kvmdb_region_write_missing(handle, offset, lengthBytes, source.address());
    }

    /** Pages that could not be had or written, since the region was opened. */
    public long badCount() {
        return ShimLibrary.shim().kvmdb_region_bad_count(handle);
    }

    /** The record of an error by its number, or null when it is no longer kept. */
    public BadPage badPage(long number) {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment out = arena.allocate(BadPage.LENGTH, Long.BYTES);
            return ShimLibrary.shim().kvmdb_region_bad_page(handle, number, out.address()) == 0 ? BadPage.of(out) : null;
        }
    }

    /** Drops the zeros that stand for bad pages, so that the next access is counted again. Throws when some stay. */
    public void unpoison() {
        Errno.check(ShimLibrary.shim().kvmdb_region_unpoison(handle), "drop bad pages from memory");
    }

    /**
     * A freeze under way.
     *
     * @param epoch names it
     * @param pageReservedBytes reserved for the pages, to be released when they were committed
     * @param pathReservedBytes reserved for their map nodes
     * @param nextLpn where a next freeze may go on, or END when there was no more
     */
    public record Freeze(long epoch, long pageReservedBytes, long pathReservedBytes, long nextLpn) {
        public static final long END = -1;
    }

    /**
     * Freezes all dirty pages, adding their LPNs to the empty list; it does not come to the END when there is no memory to
     * list them all. When it throws, none of them is frozen.
     */
    public Freeze freezeAll(LpnList lpns, SpaceAccount space) {
        return freeze(lpns, space, 0, 0, Long.MAX_VALUE);
    }

    /** Freezes up to that many dirty, unpinned pages from an LPN on, adding to the empty list; as {@link #freezeAll}. */
    public Freeze freezeToSteal(LpnList lpns, SpaceAccount space, long fromLpn, long pagesMax) {
        return freeze(lpns, space, FREEZE_TO_STEAL, fromLpn, pagesMax);
    }

    private Freeze freeze(LpnList lpns, SpaceAccount space, long flags, long fromLpn, long pagesMax) {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment fields = arena.allocate(ValueLayout.JAVA_LONG, FREEZE_FIELDS);
            fields.setAtIndex(ValueLayout.JAVA_LONG, 0, flags);
            fields.setAtIndex(ValueLayout.JAVA_LONG, 1, fromLpn);
            try {
                freezeSteps(fields, lpns, pagesMax);
                return freezeOf(fields);
            } catch (StorageException | Error e) {
                space.release(fields.getAtIndex(ValueLayout.JAVA_LONG, 4));
                thaw(fields.getAtIndex(ValueLayout.JAVA_LONG, 2), lpns, 1); // without memory for an object that tells of the freeze
                throw e;
            }
        }
    }

    private void freezeSteps(MemorySegment fields, LpnList lpns, long pagesMax) {
        long left = pagesMax;
        do {
            final long room = roomFor(lpns, left);
            if (room == 0) {
                break;
            }
            final long frozen = Errno.check(
                    ShimLibrary.shim().kvmdb_region_freeze(handle, fields.address(), lpns.lpnAddress(lpns.size()), room),
                    "freeze dirty pages");
            lpns.added(frozen);
            left -= frozen;
        } while (left > 0 && freezeOf(fields).nextLpn != Freeze.END);
    }

    /** What {@code struct kvmdb_freeze} says. */
    private static Freeze freezeOf(MemorySegment fields) {
        return new Freeze(
                fields.getAtIndex(ValueLayout.JAVA_LONG, 2),
                fields.getAtIndex(ValueLayout.JAVA_LONG, 3),
                fields.getAtIndex(ValueLayout.JAVA_LONG, 4),
                fields.getAtIndex(ValueLayout.JAVA_LONG, 1));
    }

    /** Room for another step, up to so many; 0 when the list holds something and no memory is left to make it longer. */
    private static long roomFor(LpnList lpns, long left) {
        try {
            return Math.min(lpns.room(Math.min(left, FREEZE_STEP)), left);
        } catch (OutOfMemoryError e) {
            if (lpns.isEmpty()) {
                throw e;
            }
            return 0;
        }
    }

    /** Copies frozen pages out and makes blocks of them. */
    public void encode(Freeze freeze, LpnList lpns, long index, int count, BlockBuffers buffers) {
        buffers.checkRoom(count, pageShift);
        Errno.check(
                ShimLibrary.shim()
                        .kvmdb_region_encode(handle, freeze.epoch, lpns.lpnAddress(index), count, buffers.address()),
                "copy frozen pages");
    }

    /** Ends a freeze whose pages are in the log. */
    public void thawClean(Freeze freeze, LpnList lpns) {
        thaw(freeze.epoch, lpns, 0);
    }

    /** Ends a freeze whose commit failed: its pages belong to the next one. */
    public void thawDirty(Freeze freeze, LpnList lpns) {
        thaw(freeze.epoch, lpns, 1);
    }

    private void thaw(long epoch, LpnList lpns, int toDirty) {
        ShimLibrary.shim().kvmdb_region_thaw(handle, epoch, lpns.lpnAddress(0), lpns.size(), toDirty);
    }

    /** Gives back the spill area when it is empty; no freeze is under way. */
    public void trimSpill() {
        ShimLibrary.shim().kvmdb_region_trim_spill(handle);
    }

    /** Points pages to stolen blocks; the list's PPNs become those that they pointed to before (0: none). */
    public void steal(LpnList pages) {
        ShimLibrary.shim().kvmdb_region_steal(handle, pages.lpnAddress(0), pages.ppnAddress(0), pages.size());
    }

    /**
     * Adds those pages of a range to the empty list that are not in memory, and reserves space for writing them: all that
     * counts in the result. Null, with nothing done, when there is no space.
     */
    public Freeze reserveMissing(long lpn, long count, LpnList missing) {
        missing.room(count);
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment fields = arena.allocate(ValueLayout.JAVA_LONG, FREEZE_FIELDS);
            final long found = ShimLibrary.shim()
                    .kvmdb_region_reserve_missing(handle, lpn, count, missing.lpnAddress(0), fields.address());
            if (found < 0) {
                return null;
            }
            missing.added(found);
            return freezeOf(fields);
        }
    }

    /**
     * Points those of the pages that are not in memory to stolen blocks; their PPNs in the list become those that they
     * pointed to before (0: none).
     *
     * @return the indexes in the list of the pages that it did that for
     */
    public BitSet place(LpnList pages) {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment placed = arena.allocate(ValueLayout.JAVA_LONG, Math.ceilDiv(pages.size(), Long.SIZE));
            ShimLibrary.shim()
                    .kvmdb_region_place(
                            handle, pages.lpnAddress(0), pages.ppnAddress(0), pages.size(), placed.address());
            return BitSet.valueOf(placed.toArray(ValueLayout.JAVA_LONG));
        }
    }

    /** Appends all stolen pages from an LPN on, and their blocks. */
    public void stolen(long fromLpn, LpnList pages) {
        long lpn = fromLpn;
        long found;
        long room;
        do {
            room = pages.room(FREEZE_STEP);
            found = ShimLibrary.shim()
                    .kvmdb_region_stolen(handle, lpn, pages.lpnAddress(pages.size()), pages.ppnAddress(pages.size()), room);
            pages.added(found);
            lpn = found == 0 ? lpn : pages.lpn(pages.size() - 1) + 1;
        } while (found == room);
    }

    /** Ends being stolen for pages that still point to the blocks listed: the map has them now. */
    public void unsteal(LpnList pages) {
        ShimLibrary.shim().kvmdb_region_unsteal(handle, pages.lpnAddress(0), pages.ppnAddress(0), pages.size());
    }

    /** Drops everything written since the last commit; false, with nothing changed, when a page of it is pinned. */
    public boolean rollback() {
        final int result = ShimLibrary.shim().kvmdb_region_rollback(handle);
        if (result == -Errno.EBUSY) {
            return false;
        }
        Errno.check(result, "roll back");
        return true;
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Errno.check(ShimLibrary.shim().kvmdb_region_close(handle), "unmap the region");
        }
    }
}
