package org.kvmdb;

import java.time.Instant;
import java.util.List;

/**
 * Result of a scrub; of all its runs together if it was interrupted.
 *
 * @param isFinished whether everything was read; otherwise the next scrub continues this one
 * @param isResumed whether an earlier run started this scrub
 * @param began start of the first run
 * @param pages blocks of pages that were read and verified
 * @param nodes map nodes that were read and verified
 * @param bytes bytes of these blocks and nodes
 * @param badBlocks the first thousand bad blocks, in the order in which they were found
 * @param badCount number of bad blocks, listed or not
 */
public record ScrubReport(
        boolean isFinished,
        boolean isResumed,
        Instant began,
        long pages,
        long nodes,
        long bytes,
        List<BadBlock> badBlocks,
        long badCount) {

    /**
     * A block that does not verify or cannot be read.
     *
     * @param isNode whether the block is a map node rather than a page
     * @param volume the volume, or {@code volume@snapshot}, that has held it longest
     * @param lpn the page, or the first page that the node leads to
     * @param pages number of pages that cannot be read
     * @param ppn PPN of the block
     * @param position position of the block on the device
     * @param fact what is wrong with the block
     * @param holders all volumes and snapshots that hold the block
     */
    public record BadBlock(
            boolean isNode,
            String volume,
            long lpn,
            long pages,
            long ppn,
            long position,
            String fact,
            List<String> holders) {}

    /** Whether nothing bad was found. */
    public boolean isClean() {
        return badCount == 0;
    }
}
