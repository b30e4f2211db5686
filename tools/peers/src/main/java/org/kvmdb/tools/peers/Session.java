package org.kvmdb.tools.peers;

/** What one thread does with a {@link Peer}. */
interface Session extends AutoCloseable {

    /** Eight bytes of a page. Word 0 is the page's number. */
    long word(long page, int offset);

    /** Reads pages in order, every byte of them. Returns the sum of their words. */
    long scan(long firstPage, long pages);

    /**
     * Overwrites whole pages; durable when the call returns, and atomic where the system can do that.
     *
     * @param count of the pages at the start of the array
     * @param version chooses the new content
     */
    void commit(long[] pages, int count, PageSource source, long version);

    @Override
    default void close() {}
}
