package org.kvmdb.ffi;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One page that could not be had or written, as the fault handler recorded it ({@code struct kvmdb_bad_page}).
 *
 * @param number of the error in its region, from 1
 * @param cause one of the constants
 * @param detail errno, where the cause has one
 * @param thread kernel id of the thread that touched the page
 */
public record BadPage(long number, long lpn, long ppn, int cause, int detail, long thread) {

    static final int NUMBER_OFFSET = 0;
    static final int LPN_OFFSET = NUMBER_OFFSET + Long.BYTES;
    static final int PPN_OFFSET = LPN_OFFSET + Long.BYTES;
    static final int CAUSE_OFFSET = PPN_OFFSET + Long.BYTES;
    static final int DETAIL_OFFSET = CAUSE_OFFSET + Integer.BYTES;
    static final int THREAD_OFFSET = DETAIL_OFFSET + Integer.BYTES;
    static final int LENGTH = THREAD_OFFSET + Long.BYTES;

    public static final int READ = 1;
    public static final int CHECKSUM = 2;
    public static final int CONTENT = 3;
    public static final int MAP = 4;
    public static final int BEYOND_END = 5;
    public static final int FULL = 6;
    public static final int DEADLINE = 7;
    public static final int NO_PROGRESS = 8;
    public static final int MEMORY = 9;
    public static final int KERNEL = 10;
    public static final int READ_ONLY = 11;
    public static final int SPILL = 12;

    static BadPage of(MemorySegment entry) {
        return new BadPage(
                entry.get(ValueLayout.JAVA_LONG, NUMBER_OFFSET),
                entry.get(ValueLayout.JAVA_LONG, LPN_OFFSET),
                entry.get(ValueLayout.JAVA_LONG, PPN_OFFSET),
                entry.get(ValueLayout.JAVA_INT, CAUSE_OFFSET),
                entry.get(ValueLayout.JAVA_INT, DETAIL_OFFSET),
                entry.get(ValueLayout.JAVA_LONG, THREAD_OFFSET));
    }

    /** Of one that no space could be reserved for: whether there was none, and nothing else was wrong. */
    public boolean isWantOfRoom() {
        return Errno.isWantOfRoom(detail);
    }

    /** Why, in words. */
    public String describe() {
        return switch (cause) {
            case READ -> "the device read failed: " + Errno.describe(detail);
            case CHECKSUM -> "block checksum mismatch";
            case CONTENT -> "the block verifies but is not this page";
            case MAP -> "the map has no valid way to it";
            case BEYOND_END -> "it lies beyond the end of the volume";
            case FULL -> isWantOfRoom() ? "no space is left to write it" : "no space is to be had: " + Errno.explain(detail);
            case DEADLINE -> "the device did not answer in time";
            case NO_PROGRESS -> "its fault could not be resolved";
            case MEMORY -> "the machine reports a memory error";
            case KERNEL -> "the kernel refused to map it, or to let it go: " + Errno.describe(detail);
            case READ_ONLY -> "it was written, and is only read";
            case SPILL -> "it went to the spill area, or should have: " + Errno.describe(detail);
            default -> "cause " + cause;
        };
    }
}
