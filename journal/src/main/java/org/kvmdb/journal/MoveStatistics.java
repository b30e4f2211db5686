package org.kvmdb.journal;

/**
 * Blocks moved out of segments since the journal was opened.
 *
 * @param segments segments that were read to move their live blocks
 * @param blocks blocks of pages that were moved
 * @param blockBytes bytes of these blocks
 * @param writtenBytes bytes of the batches that they were written in; not part of the log's bytes
 * @param nodes map nodes that the next checkpoint writes anew because of the moves
 * @param badBlocks blocks that were not moved because they did not verify
 */
public record MoveStatistics(
        long segments, long blocks, long blockBytes, long writtenBytes, long nodes, long badBlocks) {}
