package org.kvmdb.gc;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.BlockSource;
import org.kvmdb.journal.BlockVerifier;

/**
 * Reads neighbouring blocks with one read, and verifies them. A failed read is repeated block by block, so a bad sector
 * affects only the blocks that lie on it. For one thread.
 */
final class WindowReader implements AutoCloseable {

    private static final int WINDOW_BYTES = 2 << 20;
    private static final int GAP_BYTES_MAX = 128 << 10;
    private static final int UNIT_BYTES = 4096;

    private final BlockSource source;
    private final BlockVerifier verifier;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment buffer = arena.allocate(WINDOW_BYTES + UNIT_BYTES, UNIT_BYTES);

    WindowReader(BlockSource source) {
        this.source = source;
        this.verifier = source.newVerifier();
    }

    /** Is told of each block that was read. */
    @FunctionalInterface
    interface Result {

        /** @param wrong what is wrong with it, or null */
        void done(Extent extent, String wrong);
    }

    /** Cuts blocks, given in the order of their place, into those that are read together. */
    static List<List<Extent>> windows(BlockSource source, List<Extent> extents) {
        final List<List<Extent>> result = new ArrayList<>();
        int from = 0;
        for (int i = 1; i <= extents.size(); i++) {
            if (i == extents.size() || !isOfWindow(source, extents.get(from), extents.get(i - 1), extents.get(i))) {
                result.add(extents.subList(from, i));
                from = i;
            }
        }
        return result;
    }

    private static boolean isOfWindow(BlockSource source, Extent first, Extent before, Extent extent) {
        final long position = source.position(extent.ppn());
        return position + extent.lengthBytes() - source.position(first.ppn()) <= WINDOW_BYTES - UNIT_BYTES
                && position - (source.position(before.ppn()) + before.lengthBytes()) <= GAP_BYTES_MAX;
    }

    /** Reads and verifies a window; returns the bytes that were read. */
    long verify(List<Extent> window, Result result) {
        final long start = source.position(window.getFirst().ppn()) & -UNIT_BYTES;
        // Overlapping blocks may end in another order than they begin.
        long end = start;
        for (Extent extent : window) {
            end = Math.max(end, source.position(extent.ppn()) + extent.lengthBytes());
        }
        final long length = (end - start + UNIT_BYTES - 1) & -UNIT_BYTES;
        final long count;
        try {
            count = source.read(start, buffer.asSlice(0, length));
        } catch (StorageException e) {
            return readFailed(window, result, e);
        }
        for (Extent extent : window) {
            final long offset = source.position(extent.ppn()) - start;
            final String wrong = offset + extent.lengthBytes() > count
                    ? "device ends within the block"
                    : verifier.verify(
                            extent.owner(), extent.lpn(), extent.ppn(), extent.crc(),
                            buffer.asSlice(offset, extent.lengthBytes()));
            result.done(extent, wrong);
        }
        return length;
    }

    private long readFailed(List<Extent> window, Result result, StorageException cause) {
        if (window.size() == 1) {
            result.done(window.getFirst(), cause.getMessage());
            return 0;
        }
        long bytes = 0;
        for (Extent extent : window) {
            bytes += verify(List.of(extent), result);
        }
        return bytes;
    }

    @Override
    public void close() {
        arena.close();
    }
}
