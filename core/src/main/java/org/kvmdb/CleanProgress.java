package org.kvmdb;

/** Receives the progress of {@link Store#clean}, on the thread that called it. */
@FunctionalInterface
public interface CleanProgress {

    /** Ignores progress. */
    CleanProgress NONE = (deadBytes, targetBytes) -> true;

    /**
     * Called during the cleaning.
     *
     * @param deadBytes dead bytes in segments in use
     * @param targetBytes dead bytes at which the cleaning ends
     * @return false to stop here; space gained so far is kept
     */
    boolean progress(long deadBytes, long targetBytes);
}
