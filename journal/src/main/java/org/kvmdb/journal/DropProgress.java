package org.kvmdb.journal;

/**
 * How far the deletion of versions is.
 *
 * @param waiting versions that are deleted and hold space yet, the one at work counted
 * @param branching those of them that stay until all but one of their children are gone
 * @param page where the one at work is
 * @param pages of how many
 * @param freedBytes bytes of blocks and map nodes that deletions have freed since the store was opened
 */
public record DropProgress(int waiting, int branching, long page, long pages, long freedBytes) {}
