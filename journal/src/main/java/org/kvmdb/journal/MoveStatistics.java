package org.kvmdb.journal;

/**
 * What was moved out of segments since the journal was opened.
 *
 * @param segments segments that were read to move what is live in them
 * @param blocks blocks of pages that were moved
 * @param blockBytes their bytes
 * @param writtenBytes all bytes of batches that they were written in, not among those of the log
 * @param nodes map nodes that the next checkpoint writes anew because of it
 * @param badBlocks blocks that were not moved because they did not verify
 */
public record MoveStatistics(
        long segments, long blocks, long blockBytes, long writtenBytes, long nodes, long badBlocks) {}
