package org.kvmdb.gc;

/** Receives the progress of a cleaning, on the thread that called it. */
@FunctionalInterface
public interface CleanerProgress {

    /** Tells nobody. */
    CleanerProgress NONE = (deadBytes, targetBytes) -> true;

    /**
     * Dead bytes in segments that are in use, and how many it is to come down to.
     *
     * @return false to stop here; what was cleaned stays so
     */
    boolean progress(long deadBytes, long targetBytes);
}
