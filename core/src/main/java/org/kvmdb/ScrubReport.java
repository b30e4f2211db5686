package org.kvmdb;

import java.time.Instant;
import java.util.List;

/**
 * What a scrub found, all of its runs together if it was interrupted.
 *
 * @param isFinished whether everything was read; otherwise the next scrub goes on
 * @param isResumed whether an earlier run had begun it
 * @param began when its first run began
 * @param pages blocks of pages that were read and verified
 * @param nodes map nodes that were
 * @param bytes bytes of those blocks
 * @param badBlocks what is bad: the first thousand, in the order in which they were found
 * @param badCount how much is bad, listed or not
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
     * A block that does not verify, or cannot be read.
     *
     * @param isNode whether it is a node of a map, not a page
     * @param volume the volume, or {@code volume@snapshot}, that has had it longest
     * @param lpn the page, or the first of those that the node leads to
     * @param pages how many pages cannot be had
     * @param ppn where it should be
     * @param position the same, on the device
     * @param fact what is wrong with it
     * @param holders all volumes and snapshots that hold it
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
