package org.kvmdb.tools.kill;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What a cell holds: a function of the volume's id, the cell's number and a stamp, which names who wrote it when. The
 * first word is the stamp, the second names the place, so that a cell that is stale, torn or misplaced says what it is.
 * A stamp of 0 is a cell that nobody wrote: zeros. Every other cell does not compress. Belongs to one thread.
 */
final class Cells {

    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private final int id;
    private final int cellBytes;
    private final long[] words;
    private final MemorySegment segment;

    /** @param id of the volume, or of the family of volumes whose cells may lie in each other's place */
    Cells(int id, int cellBytes) {
        this.id = id;
        this.cellBytes = cellBytes;
        this.words = new long[cellBytes / Long.BYTES];
        this.segment = MemorySegment.ofArray(words);
    }

    private void generate(int cell, long stamp) {
        if (stamp == 0) {
            java.util.Arrays.fill(words, 0);
            return;
        }
        words[0] = stamp;
        words[1] = (long) id << 32 | cell;
        long base = stamp * GOLDEN ^ words[1];
        int varies = cell % 2 == 0 ? 7 : -1;
        for (int i = 2; i < words.length; i++) {
            long x = (base + (i & varies)) * GOLDEN;
            words[i] = x ^ x >>> 29;
        }
    }

    void write(MemorySegment volume, int cell, long stamp) {
        generate(cell, stamp);
        MemorySegment.copy(segment, 0, volume, (long) cell * cellBytes, cellBytes);
    }

    /** The stamp of a cell, of which the rest is not looked at. */
    long stamp(MemorySegment volume, int cell) {
        return volume.get(ValueLayout.JAVA_LONG, (long) cell * cellBytes);
    }

    /** Throws unless each cell holds what it must. */
    void check(String what, MemorySegment volume, long[] stamps) {
        for (int cell = 0; cell < stamps.length; cell++) {
            generate(cell, stamps[cell]);
            long from = (long) cell * cellBytes;
            long wrong = MemorySegment.mismatch(segment, 0, cellBytes, volume, from, from + cellBytes);
            if (wrong >= 0) {
                throw new KillFailure("%s: cell %d is wrong from byte %d on: it should hold %s, and says it is %s"
                        .formatted(
                                what, cell, wrong, name(stamps[cell]),
                                name(volume.get(ValueLayout.JAVA_LONG, from))
                                        + " at place %x".formatted(volume.get(ValueLayout.JAVA_LONG, from + 8))));
            }
        }
    }

    // ---- stamps ----

    /** Of step {@code number} of a thread in a group of volumes. */
    static long stepStamp(int thread, int group, long number) {
        return number << 8 | group << 4 | (thread + 1);
    }

    /** Of an operation on the family. */
    static long operationStamp(long number) {
        return number << 8 | 0xF0;
    }

    static long number(long stamp) {
        return stamp >>> 8;
    }

    private static String name(long stamp) {
        if (stamp == 0) {
            return "nothing";
        }
        return (stamp & 0xFF) == 0xF0
                ? "operation %d".formatted(number(stamp))
                : "step %d of thread %d in group %d".formatted(number(stamp), (stamp & 0xF) - 1, stamp >>> 4 & 0xF);
    }
}
