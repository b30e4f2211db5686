package org.kvmdb.journal;

/**
 * How many of the last free segments a kind of append may use. Each kind leaves the space that the kinds after it need,
 * so a full store can always delete, then take a checkpoint, and be opened again. {@link CheckpointSize} defines the
 * reserve.
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
