package org.kvmdb.journal;

/**
 * A batch that a scan of the log found valid, but for its blocks.
 *
 * @param records as numbers of 8 bytes, which the interpreter reads quickest: most of a log is read before anything is compiled
 * @param recordsLength bytes of them
 */
record ScannedBatch(
        long sequence,
        int segment,
        int offset,
        int length,
        int flags,
        long firstSequence,
        long knownDurable,
        long checkpointGeneration,
        long previousDigest,
        int blocksLength,
        int recordCount,
        int nextSegment,
        int nextGeneration,
        long nextSalt,
        long digest,
        long[] records,
        int recordsLength) {

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    int recordsOffset() {
        return BatchDescriptor.HEADER_LENGTH + blocksLength;
    }
}
