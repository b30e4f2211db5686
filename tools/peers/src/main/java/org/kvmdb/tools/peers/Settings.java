package org.kvmdb.tools.peers;

import java.nio.file.Path;
import java.util.List;

/**
 * What was asked for.
 *
 * @param directory of its own, on the disk that is measured
 * @param corpus texts for the pages, see {@link Corpus}
 * @param compression of the corpus: bytes of a page for each byte of its LZ4
 * @param largePages of the data that are larger than memory
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

    private static final long LOAD_BYTES_MAX = 4L << 30;

    /** Of the bulk load: as many as the large data, but no more than 4 GiB, which its figures are of. */
    long loadPages() {
        return Math.min(largePages, LOAD_BYTES_MAX / PageSource.PAGE_BYTES);
    }

    /** A quarter of the limit: fits in the cache of each system. */
    long smallPages() {
        return limitBytes / 4 / PageSource.PAGE_BYTES;
    }
}
