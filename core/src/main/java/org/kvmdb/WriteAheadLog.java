package org.kvmdb;

/**
 * The write-ahead log of a front end. Called on a committing thread; since concurrent commits are grouped, this may be
 * the thread of another commit. The commit waits for the call, so a commit, rollback, resize or close from inside it
 * throws {@link StoreBusyException}.
 */
public interface WriteAheadLog {

    /** An LSN that covers every change in the pages. Called after the pages were frozen. */
    long currentLsn();

    /** Returns once the log is durable up to this LSN. Called before a page with such changes can become durable. */
    void flushTo(long lsn);
}
