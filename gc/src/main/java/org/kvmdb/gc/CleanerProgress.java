package org.kvmdb.gc;

/** Is told how far a cleaning is, on the thread that called it. */
@FunctionalInterface
public interface CleanerProgress {

    /** Tells nobody. */
    CleanerProgress NONE = (deadBytes, targetBytes) -> {};

    /** Dead bytes in segments that are in use, and how many it is to come down to. */
    void progress(long deadBytes, long targetBytes);
}
