package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;

/** A batch that a scan of the log found valid, but for its blocks. */
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
        MemorySegment records) {

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    int recordsOffset() {
        return BatchDescriptor.HEADER_LENGTH + blocksLength;
    }
}
