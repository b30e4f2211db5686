package org.kvmdb.cache;

import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import org.kvmdb.ffi.BlockBuffers;
import org.kvmdb.ffi.LpnList;
import org.kvmdb.ffi.NativeRegion;
import org.kvmdb.ffi.SpaceAccount;

/**
 * Writes whole pages that are not in memory to the log, like stolen pages: they would soon be stolen in any case, so
 * they need not come into memory first. Under the write-back lock.
 */
final class LargeWrites {

    private final SpaceAccount space;
    private final PageWriter writer;
    private final StolenPages stolen;

    LargeWrites(SpaceAccount space, PageWriter writer, StolenPages stolen) {
        this.space = space;
        this.writer = writer;
        this.stolen = stolen;
    }

    /** Returns the pages, counted from the first, for which that was done; the others are to be written through memory. */
    BitSet write(Region region, long firstLpn, MemorySegment source) {
        final BitSet none = new BitSet();
        final long count = source.byteSize() >>> region.volume().pageShift();
        if (region.isClosed() || firstLpn + count > region.volume().pageCount()) {
            return none;
        }
        final LpnList missing = region.emptyFrozenList();
        final NativeRegion.Freeze reserved = region.nativeRegion().reserveMissing(firstLpn, count, missing);
        if (reserved == null) {
            return none;
        }
        if (missing.isEmpty()) {
            space.release(reserved.pathReservedBytes());
            return none;
        }
        return write(region, missing, firstLpn, source, reserved);
    }

    private BitSet write(
            Region region, LpnList pages, long firstLpn, MemorySegment source, NativeRegion.Freeze reserved) {
        final BitSet placed;
        try {
            final int pageShift = region.volume().pageShift();
            stolen.append(writer.write(region, pages, new CopiedSource(pageShift, pages, firstLpn, source)));
            placed = region.nativeRegion().place(pages);
        } catch (RuntimeException | Error e) {
            space.release(reserved.pageReservedBytes() + reserved.pathReservedBytes());
            throw e;
        }
        final BitSet done = new BitSet();
        for (int i = 0; i < pages.size(); i++) {
            done.set((int) (pages.lpn(i) - firstLpn), placed.get(i));
        }
        stolen.drop(pages); // its PPNs are now those stolen earlier, or of no use since the page came into memory
        stolen.keepFor(region, placed.cardinality(), reserved);
        return done;
    }

    /** The caller copies: the memory may belong to its thread, and may change. */
    private record CopiedSource(int pageShift, LpnList pages, long firstLpn, MemorySegment source)
            implements PageWriter.Source {

        @Override
        public void fetch(long first, int count, BlockBuffers buffers) {
            for (int i = 0; i < count; i++) {
                final long page = pages.lpn(first + i) - firstLpn;
                MemorySegment.copy(
                        source, page << pageShift, buffers.pages(), (long) i << pageShift, 1L << pageShift);
            }
        }

        @Override
        public void encode(long first, int count, BlockBuffers buffers) {
            buffers.encode(count, pageShift);
        }
    }
}
