package org.kvmdb.journal;

/** States of a segment. Their ordinals are stored, so the constants keep their order. */
enum SegmentState {
    /** Holds nothing that any durable root reaches. */
    FREE,
    /** Where the log goes on when the open one is full; nothing of this generation is in it. */
    RESERVED,
    /** The end of the log. */
    OPEN,
    /** Written to its end, or cut by a recovery. */
    FULL;

    private static final SegmentState[] VALUES = values();

    static SegmentState of(int value) {
        return value >= 0 && value < VALUES.length ? VALUES[value] : null;
    }
}
