package org.kvmdb.gc;

import java.util.List;

/**
 * What a scrub has found, all of its runs together.
 *
 * @param isFinished whether everything was read; otherwise a later run goes on
 * @param isResumed whether an earlier run had begun it
 * @param beganMillis when its first run began, in milliseconds since 1970
 * @param pages blocks of pages that were read
 * @param nodes map nodes that were read
 * @param bytes bytes of those blocks
 * @param movedBlocks blocks that did not verify and were not in use any more: no defects
 * @param defects what is bad, the first ones in the order in which they were found
 * @param defectCount how much is bad, listed or not
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
