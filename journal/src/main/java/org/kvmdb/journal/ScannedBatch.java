package org.kvmdb.journal;

/**
 * A batch that a scan of the log found valid, apart from its blocks, which it did not check.
 *
 * @param records the records as 8-byte numbers, which the interpreter reads fastest: most of a log is read before the
 *     JIT compiles anything
 * @param recordsLength length of the records in bytes
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
