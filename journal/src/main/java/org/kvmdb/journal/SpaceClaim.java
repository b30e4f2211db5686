package org.kvmdb.journal;

/**
 * How far into the last free segments what is appended may go. Each kind leaves what those behind it need: whatever
 * becomes of a full store, it can delete, then checkpoint, and be opened again.
 */
enum SpaceClaim {
    /** Pages, new volumes, growth: leaves the whole reserve. */
    COMMIT,
    /** Moving blocks, so that their segments can be freed. */
    CLEAN,
    /** Deleting and shrinking: leaves what a checkpoint and a recovery need. */
    MAKE_ROOM,
    /** Checkpoints, recoveries and the mark of an orderly close: may take all. */
    CHECKPOINT;

    /** Bytes of free segments that must remain. */
    long leavesBytes(long reserveBytes, int segmentSizeBytes) {
        return switch (this) {
            case COMMIT -> reserveBytes;
            case CLEAN -> reserveBytes - segmentSizeBytes;
            case MAKE_ROOM -> reserveBytes - 2L * segmentSizeBytes;
            case CHECKPOINT -> 0;
        };
    }
}
