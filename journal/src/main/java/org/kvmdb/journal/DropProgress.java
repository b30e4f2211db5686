package org.kvmdb.journal;

/**
 * Progress of the deletion of versions.
 *
 * @param waiting deleted versions that still hold space, including the current one
 * @param branching those that stay until all but one of their children are gone
 * @param page page that the current deletion has reached
 * @param pages number of pages of the current deletion
 * @param freedBytes bytes of blocks and map nodes that deletions have freed since the store was opened
 */
public record DropProgress(int waiting, int branching, long page, long pages, long freedBytes) {}
