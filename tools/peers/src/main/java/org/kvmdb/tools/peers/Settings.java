package org.kvmdb.tools.peers;

import java.nio.file.Path;
import java.util.List;

/**
 * What was asked for.
 *
 * @param directory of its own, on the disk that is measured
 * @param corpus texts for the pages, see {@link Corpus}
 * @param compression of the corpus: bytes of a page for each byte of its LZ4
 * @param largePages of the data that are larger than memory, and of the bulk load
 * @param seconds of each timed piece
 */
record Settings(
        Path directory,
        Path corpus,
        double compression,
        long limitBytes,
        long largePages,
        double seconds,
        int rounds,
        List<Work> works,
        List<PeerSystem> systems) {

    /** A quarter of the limit: fits in the cache of each system. */
    long smallPages() {
        return limitBytes / 4 / PageSource.PAGE_BYTES;
    }
}
