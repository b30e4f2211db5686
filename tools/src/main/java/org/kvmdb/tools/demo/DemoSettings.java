package org.kvmdb.tools.demo;

import java.nio.file.Path;
import org.kvmdb.StoreOptions;

/**
 * @param input the file whose content the volume holds
 * @param inputBytes how much of it
 * @param parentDirectory where the demo's directory is made
 * @param keeps whether that stays afterwards
 * @param kills how often the worker is killed
 * @param threads writers in the worker, readers in the proofs
 * @param seed decides what is written where, and when the kills come
 */
record DemoSettings(
        Path input,
        long inputBytes,
        int pageSizeBytes,
        Path parentDirectory,
        boolean keeps,
        int kills,
        int threads,
        long seed) {

    long pages() {
        return (inputBytes + pageSizeBytes - 1) / pageSizeBytes;
    }

    long dataSizeBytes() {
        return pages() * pageSizeBytes;
    }

    /** A quarter of the data. */
    long cacheSizeBytes() {
        return Math.max(StoreOptions.CACHE_SIZE_BYTES_MIN, inputBytes / 4);
    }
}
