package org.kvmdb.gc;

import java.util.List;

/**
 * Result of a scrub, of all its runs together.
 *
 * @param isFinished whether everything was read; otherwise a later run continues
 * @param isResumed whether an earlier run started this scrub
 * @param beganMillis start of the first run, in milliseconds since 1970
 * @param pages blocks of pages that were read
 * @param nodes map nodes that were read
 * @param bytes bytes of these blocks and nodes
 * @param movedBlocks blocks that did not verify but were no longer in use: not defects
 * @param defects the first defects, in the order in which they were found
 * @param defectCount number of defects, listed or not
 */
public record ScrubResult(
        boolean isFinished,
        boolean isResumed,
        long beganMillis,
        long pages,
        long nodes,
        long bytes,
        long movedBlocks,
        List<ScrubDefect> defects,
        long defectCount) {}
