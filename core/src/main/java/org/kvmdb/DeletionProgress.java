package org.kvmdb;

/**
 * Progress of freeing the blocks of deleted snapshots and volumes, which runs in the background.
 *
 * @param waiting deleted snapshots and volumes that still hold space
 * @param branching those that keep their space until all but one of the versions made from them are deleted too
 * @param page page that the current deletion has reached
 * @param pages number of pages of the current deletion; 0 when none is running
 * @param freedBytes bytes freed since the store was opened
 */
public record DeletionProgress(int waiting, int branching, long page, long pages, long freedBytes) {

    /** Whether nothing can be freed at present. */
    public boolean isDone() {
        return waiting == branching;
    }
}
