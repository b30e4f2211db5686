package org.kvmdb;

/** Receives the progress of a scrub, on the thread that called it. */
@FunctionalInterface
public interface ScrubProgress {

    /** Ignores progress. */
    ScrubProgress NONE = (doneBytes, totalBytes) -> true;

    /**
     * Called during the scrub. In the last call of a scrub that completes, both values are equal.
     *
     * @param doneBytes bytes of blocks verified
     * @param totalBytes bytes of all blocks, as far as known
     * @return false to stop here; the next scrub continues from this point
     */
    boolean progress(long doneBytes, long totalBytes);
}
