package org.kvmdb.gc;

/** Receives the progress of a check, on the thread that called it. */
@FunctionalInterface
public interface CheckProgress {

    /** Tells nobody. */
    CheckProgress NONE = (doneBytes, totalBytes) -> {};

    /** Bytes of blocks that were verified, of those to verify; the last call has both equal. */
    void progress(long doneBytes, long totalBytes);
}
