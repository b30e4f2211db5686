package org.kvmdb.gc;

import java.util.List;

/**
 * A block that a scrub found bad.
 *
 * @param isNode whether it is a map node, not a page
 * @param volume the volume, or {@code volume@snapshot}, whose own it is
 * @param lpn the page, or the first one beneath the node
 * @param pages pages that cannot be reached without it
 * @param ppn where it should be
 * @param position the same, on the device
 * @param fact what is wrong
 * @param holders all volumes and snapshots that hold it, the one that it is own to included
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
