package org.kvmdb.tools.peers;

import java.nio.file.Path;

/**
 * How a peer is opened.
 *
 * @param directory of its files; exists
 * @param limitBytes memory that the process may use, page cache counted: each system divides it as suits it best
 * @param access what will be done: systems that need to be told are told
 */
record PeerSetup(Path directory, long pages, long limitBytes, Access access) {

    enum Access {
        RANDOM,
        SEQUENTIAL,
        /** Nothing but a load: what is not flushed before its end is not durable. */
        LOAD
    }

    long bytes() {
        return pages * PageSource.PAGE_BYTES;
    }
}
