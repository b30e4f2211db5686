package org.kvmdb.tools.peers;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** A system under test, open in this process: pages by number, each of {@link PageSource#PAGE_BYTES} bytes. */
interface Peer extends AutoCloseable {

    /** For one thread, which closes it. */
    Session session();

    /** Writes all pages in order, as fast as the system can; durable when the call returns. By one thread, into an empty peer. */
    void load(long pages, PageSource source) throws Exception;

    /** Reads all of so many pages once, in order: what fits into its caches is there then. */
    default void readAll(long pages) {
        try (Session session = session()) {
            session.scan(0, pages);
        }
    }

    /** Its pages as plain memory, when they are that; null otherwise. */
    default MemorySegment memory() {
        return null;
    }

    /**
     * Keeps this moment, by the cheapest way that the system has.
     *
     * @param target a path where nothing is, for those that make files
     */
    default void snapshot(Path target) throws Exception {
        throw new UnsupportedOperationException("it has no snapshots");
    }

    @Override
    void close() throws IOException;
}
