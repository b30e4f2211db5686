package org.kvmdb;

/**
 * The write-ahead log of a front end. Called on the committing thread, which may be another one's that commits along. The
 * commit waits for it: a commit, rollback, resize or close from inside throws {@link StoreBusyException}.
 */
public interface WriteAheadLog {

    /** The LSN that covers everything in the pages; asked after they were frozen. */
    long currentLsn();

    /** Returns when the log is durable up to that LSN; called before any page that carries it can become durable. */
    void flushTo(long lsn);
}
