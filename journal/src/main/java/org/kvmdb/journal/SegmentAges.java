package org.kvmdb.journal;

import java.util.Arrays;

/**
 * The ages of the blocks in the segments. The clock is the progress of the log: the bytes of page blocks ever appended
 * for users. A segment's write time is the mean of those of its blocks; blocks that the cleaner moves keep theirs. Ages
 * are hints. They decide which segment is cleaned first and which blocks are stored together, and do not affect
 * correctness.
 *
 * <p>Ages are divided into classes by their logarithm. Class 0: unknown. Under the append lock.
 */
final class SegmentAges {

    /** Classes of ages; five bits of a record. */
    static final int CLASSES = 32;

    private static final int UNIT_SHIFT = 16;

    /** So many bytes no store has ever appended; and the clock can go on from there. */
    private static final long TIME_MAX = 1L << 62;

    private long clock;
    private double[] writeTime = new double[64];
    private int[] filledBytes = new int[64];
    private final long[] deathBytes = new long[CLASSES];

    /** Class 1 is below 64 KiB; each of the others covers twice the one before. */
    static int classOf(long age) {
        return Math.min(CLASSES - 1, Long.SIZE + 1 - Long.numberOfLeadingZeros(Math.max(0, age) >>> UNIT_SHIFT));
    }

    /** Whether what a checkpoint or a record says can be a time. */
    static boolean isTime(long time) {
        return time >= 0 && time <= TIME_MAX;
    }

    long clock() {
        return clock;
    }

    /** A segment was given a new identity: nothing is in it. */
    void reset(int segment) {
        grow(segment);
        writeTime[segment] = clock;
        filledBytes[segment] = 0;
    }

    /** What a checkpoint or a record says of a segment. */
    void load(int segment, long time) {
        grow(segment);
        writeTime[segment] = time;
        clock = Math.max(clock, time);
    }

    private void grow(int segment) {
        if (segment >= writeTime.length) {
            final int length = Math.max(2 * writeTime.length, segment + 1);
            writeTime = Arrays.copyOf(writeTime, length);
            filledBytes = Arrays.copyOf(filledBytes, length);
        }
    }

    /** A user's block was appended. */
    void wrote(int segment, int lengthBytes) {
        clock += lengthBytes;
        moved(segment, lengthBytes, clock);
    }

    /** A block was put into a segment that its user wrote at that time. */
    void moved(int segment, int lengthBytes, long time) {
        filledBytes[segment] += lengthBytes;
        writeTime[segment] += (time - writeTime[segment]) * lengthBytes / filledBytes[segment];
    }

    /** 0 for a segment that was never written. */
    long writeTime(int segment) {
        return segment < writeTime.length ? (long) writeTime[segment] : 0;
    }

    int ageClass(int segment) {
        return classOf(clock - writeTime(segment));
    }

    /** A block that was in use died. */
    void died(int segment, int lengthBytes) {
        deathBytes[ageClass(segment)] += lengthBytes;
    }

    /** Bytes that died since the journal was opened, by the class of their age. */
    long[] deathBytes() {
        return deathBytes.clone();
    }
}
