package org.kvmdb.journal;

/**
 * Tells when all readers that may have seen a part of the map without a lock have ended. A node or segment is reused
 * only once {@code passed(epoch)} is true for an {@code epoch} that {@code advance()} returned.
 */
public interface ReaderGrace {

    /** There are no such readers. */
    ReaderGrace NONE = new ReaderGrace() {
        @Override
        public long advance() {
            return 0;
        }

        @Override
        public boolean passed(long epoch) {
            return true;
        }
    };

    /** Starts an epoch: readers that come from now on do not see what was unlinked before the call. */
    long advance();

    /** Whether every reader that was there at that epoch's start has left. Never waits. */
    boolean passed(long epoch);
}
