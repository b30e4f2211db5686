package org.kvmdb;

/** Is told how far a scrub is, on the thread that called it. */
@FunctionalInterface
public interface ScrubProgress {

    /** Tells nobody. */
    ScrubProgress NONE = (doneBytes, totalBytes) -> true;

    /**
     * Bytes of blocks that were verified, of those that there are as far as it is known; the last call of a scrub that ends
     * has both equal.
     *
     * @return false to stop here; the next scrub goes on
     */
    boolean progress(long doneBytes, long totalBytes);
}
