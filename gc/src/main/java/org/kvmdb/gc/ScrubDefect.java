package org.kvmdb.gc;

import java.util.List;

/**
 * A block that a scrub found bad.
 *
 * @param isNode whether the block is a map node rather than a page
 * @param volume the volume, or {@code volume@snapshot}, that owns the block
 * @param lpn the page, or the first page beneath the node
 * @param pages number of pages that cannot be read without the block
 * @param ppn PPN of the block
 * @param position position of the block on the device
 * @param fact what is wrong with the block
 * @param holders all volumes and snapshots that hold the block, including its owner
 */
public record ScrubDefect(
        boolean isNode,
        String volume,
        long lpn,
        long pages,
        long ppn,
        long position,
        String fact,
        List<String> holders) {}
