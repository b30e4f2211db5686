package org.kvmdb.ffi;

import java.lang.foreign.MemorySegment;

/** Leaves of the map as they are loaded from the device, in C ({@code map_leaf.h}). */
public final class MapLeaf {

    private MapLeaf() {}

    /**
     * The segments that a leaf's entries may lie in.
     *
     * @param table entries as {@link SegmentTableDescriptor} has them
     * @param headerLength bytes at the beginning of each where no block lies
     */
    public record Segments(MemorySegment table, int count, int sizeBytes, int headerLength) {}

    /**
     * Decodes the block of a leaf into a node of zeros that nobody sees yet, in the common case: nothing is wrong with the
     * block, its entries were born together, and each names a block of a segment in use.
     *
     * @param pages entries that may be no holes
     * @return the birth of the entries; 0, with the node as it was, when that is not the case
     */
    public static int load(
            MemorySegment node, MemorySegment block, long ppn, long lpn, long family, long pages, Segments segments) {
        return ShimLibrary.shim()
                .kvmdb_map_leaf_load(
                        node.address(), block.address(), ppn, lpn, family, pages, segments.table.address(),
                        segments.count, segments.sizeBytes, segments.headerLength);
    }
}
