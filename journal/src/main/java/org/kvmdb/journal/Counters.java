package org.kvmdb.journal;

/** The counters of the journal; changed under the append lock. */
final class Counters {
    /** May be changed by any thread. */
    final Latencies latencies = new Latencies();

    long writtenBytes;
    long blockBytes;
    long checkpointBytes;
    long superblockBytes;
    long preparedBytes;
    long records;
    long batches;
    long commits;
    long flushes;
    long checkpoints;
    long recordsSinceCheckpoint;
    long batchesSinceCheckpoint;
    /** When the last checkpoint began, whatever became of it. */
    long writtenBytesAtCut;

    /** Length of the metadata stream of the checkpoint that is under way, as it was when that began; else 0. */
    long streamBytesAtCut;

    /** Free bytes that only checkpoints and what makes space may take. */
    long reserveBytes;

    /** Bytes that the deletion of versions freed. */
    long droppedBytes;

    /** Pieces of versions that were dropped, whether that freed something or handed it to their heirs. */
    long droppedPieces;

    /** Bytes of the blocks of catalog and segment table that the newest superblock reaches. */
    long metadataBytes;

    long recoveryNanos;
    long recordsReplayed;
    long batchesReplayed;
    long batchesCut;
    long batchesRewritten;
}
