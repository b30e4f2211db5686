package org.kvmdb.journal;

/**
 * Tells when readers that look at the map without locks have left what they saw: nodes and segments are reused only
 * after {@code passed(advance())} turned true.
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
