package org.kvmdb.tools.kill;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.stream.LongStream;

/**
 * What the child says of its work, in the body of the {@link KillRecord}: one slot for each thread and group of volumes,
 * one for the operations on the family, and a log of those. Numbers are given once, also to what is lost.
 *
 * <pre>
 *      0   created      not 0: the store and its volumes are there
 *    512   slots        of each thread and group, 512 bytes: first, issued, acknowledged, standing, aborted
 *   4096   operations   first, issued
 *   8192   log          an entry of 128 bytes for each operation from the first on: outcome, then for each thread what
 *                       was acknowledged when it was issued, and what was issued when it returned
 * </pre>
 */
final class KillLedger {

    static final int OPERATIONS_MAX = 1024;
    static final int ABORTED_MAX = 56;
    static final long BYTES = 8192 + OPERATIONS_MAX * 128L;

    /** No step of this cycle was begun. */
    static final long NONE = Long.MAX_VALUE;

    enum Outcome {
        UNKNOWN,
        DONE,
        /** It threw that the store is full, and changed nothing. */
        FAILED
    }

    private static final Outcome[] OUTCOMES = Outcome.values();
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final long SLOTS = 512;
    private static final long SLOT = 512;
    private static final long FIRST = 0;
    private static final long ISSUED = 8;
    private static final long ACKNOWLEDGED = 16;
    private static final long STANDING = 24;
    private static final long ABORTED_COUNT = 32;
    private static final long ABORTED = 40;
    private static final long OPERATIONS = 4096;
    private static final long LOG = 8192;
    private static final long ENTRY = 128;

    private final MemorySegment body;

    KillLedger(MemorySegment body) {
        this.body = body;
    }

    private long at(long offset) {
        return (long) LONG.getVolatile(body, offset);
    }

    private void at(long offset, long value) {
        LONG.setVolatile(body, offset, value);
    }

    boolean isCreated() {
        return at(0) != 0;
    }

    void created() {
        at(0, 1);
    }

    /** Before a child: nothing of its work is done. */
    void begin() {
        for (int group = 0; group < CellVolume.GROUPS; group++) {
            for (int thread = 0; thread < CellVolume.THREADS; thread++) {
                Slot slot = slot(thread, group);
                at(slot.base + FIRST, NONE);
                at(slot.base + ACKNOWLEDGED, 0);
                at(slot.base + ABORTED_COUNT, 0);
            }
        }
        at(OPERATIONS + FIRST, NONE);
        body.asSlice(LOG, OPERATIONS_MAX * ENTRY).fill((byte) 0);
    }

    Slot slot(int thread, int group) {
        return new Slot(SLOTS + (long) (group * CellVolume.THREADS + thread) * SLOT);
    }

    /** One thread's steps in one group. One thread writes it. */
    final class Slot {

        private final long base;

        private Slot(long base) {
            this.base = base;
        }

        /** Of this cycle, or {@link #NONE}. */
        long first() {
            return at(base + FIRST);
        }

        long issued() {
            return at(base + ISSUED);
        }

        /** 0: none of this cycle. */
        long acknowledged() {
            return at(base + ACKNOWLEDGED);
        }

        /** The step that the thread's ledgers must show when the store is opened. */
        long standing() {
            return at(base + STANDING);
        }

        void standing(long number) {
            at(base + STANDING, number);
        }

        /** Returns the number of the next step. */
        long issue() {
            long number = issued() + 1;
            at(base + ISSUED, number);
            if (first() == NONE) {
                at(base + FIRST, number);
            }
            return number;
        }

        void acknowledge(long number) {
            at(base + ACKNOWLEDGED, number);
        }

        /** Rolled back. False when no more of them can be kept. */
        boolean abort(long number) {
            long count = abortedCount();
            at(base + ABORTED + count * Long.BYTES, number);
            at(base + ABORTED_COUNT, count + 1);
            return count + 1 < ABORTED_MAX;
        }

        boolean isAborted(long number) {
            return aborted(number, number) > 0;
        }

        /** How many of these steps were rolled back. */
        long aborted(long from, long to) {
            return LongStream.range(0, abortedCount())
                    .map(i -> at(base + ABORTED + i * Long.BYTES))
                    .filter(number -> number >= from && number <= to)
                    .count();
        }

        private long abortedCount() {
            return at(base + ABORTED_COUNT);
        }
    }

    // ---- operations ----

    /** Of this cycle, or {@link #NONE}. */
    long firstOperation() {
        return at(OPERATIONS + FIRST);
    }

    long issuedOperation() {
        return at(OPERATIONS + ISSUED);
    }

    /** Whether the log has an entry for one more. */
    boolean hasRoomForOperation() {
        return firstOperation() == NONE || issuedOperation() + 1 - firstOperation() < OPERATIONS_MAX;
    }

    long issueOperation() {
        long number = issuedOperation() + 1;
        if (firstOperation() == NONE) {
            at(OPERATIONS + FIRST, number);
        }
        at(OPERATIONS + ISSUED, number);
        return number;
    }

    private long entry(long number) {
        return LOG + (number - firstOperation()) * ENTRY;
    }

    Outcome outcome(long number) {
        return OUTCOMES[(int) at(entry(number))];
    }

    void outcome(long number, Outcome outcome) {
        at(entry(number), outcome.ordinal());
    }

    /** What a snapshot of the group that is about to be taken holds at least. */
    void noteBefore(long number, int group) {
        for (int thread = 0; thread < CellVolume.THREADS; thread++) {
            at(entry(number) + 8 + thread * 16L, slot(thread, group).acknowledged());
        }
    }

    /** What it holds at most. */
    void noteAfter(long number, int group) {
        for (int thread = 0; thread < CellVolume.THREADS; thread++) {
            at(entry(number) + 16 + thread * 16L, slot(thread, group).issued());
        }
    }

    long acknowledgedBefore(long number, int thread) {
        return at(entry(number) + 8 + thread * 16L);
    }

    /** 0: it did not return. */
    long issuedAfter(long number, int thread) {
        return at(entry(number) + 16 + thread * 16L);
    }
}
