package org.kvmdb;

/**
 * How far the background is with freeing what deleted snapshots and volumes held.
 *
 * @param waiting deleted snapshots and volumes that hold space yet
 * @param branching those of them that hold it until all but one of what was made from them are deleted, too
 * @param page page that the one at work has come to
 * @param pages of how many; 0 when none is at work
 * @param freedBytes freed since the store was opened
 */
public record DeletionProgress(int waiting, int branching, long page, long pages, long freedBytes) {

    /** Whether there is nothing to be freed at present. */
    public boolean isDone() {
        return waiting == branching;
    }
}
