package org.kvmdb;

/** Receives the ranges in which two versions of a volume differ. */
@FunctionalInterface
public interface ChangeVisitor {

    /**
     * Called for each range of changed pages, in order of offsets. Ranges consist of whole pages and are as long as
     * possible.
     *
     * @param isHole whether the range is a hole in the newer version, and so reads as zeros
     */
    void changed(long offset, long lengthBytes, boolean isHole);
}
