package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Little-endian access to the fields of a structure at any offset; every stored structure goes through here. */
final class Fields {

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Fields() {}

    static int byteAt(MemorySegment segment, long offset) {
        return segment.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
    }

    static void putByte(MemorySegment segment, long offset, int value) {
        segment.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
    }

    /** An unsigned 16-bit field. */
    static int shortAt(MemorySegment segment, long offset) {
        return segment.get(SHORT, offset) & 0xFFFF;
    }

    static void putShort(MemorySegment segment, long offset, int value) {
        segment.set(SHORT, offset, (short) value);
    }

    static int intAt(MemorySegment segment, long offset) {
        return segment.get(INT, offset);
    }

    static void putInt(MemorySegment segment, long offset, int value) {
        segment.set(INT, offset, value);
    }

    static long longAt(MemorySegment segment, long offset) {
        return segment.get(LONG, offset);
    }

    static void putLong(MemorySegment segment, long offset, long value) {
        segment.set(LONG, offset, value);
    }

    /** All whole numbers of 8 bytes in a segment. */
    static long[] longsOf(MemorySegment segment) {
        return segment.asSlice(0, segment.byteSize() & -Long.BYTES).toArray(LONG);
    }

    static boolean isZero(MemorySegment segment, long offset, long lengthBytes) {
        long at = offset;
        final long end = offset + lengthBytes;
        while (at < end && (at & 7) != 0) {
            if (byteAt(segment, at++) != 0) {
                return false;
            }
        }
        for (; at + Long.BYTES <= end; at += Long.BYTES) {
            if (longAt(segment, at) != 0) {
                return false;
            }
        }
        while (at < end) {
            if (byteAt(segment, at++) != 0) {
                return false;
            }
        }
        return true;
    }

    static long alignUp(long value, long alignment) {
        return value + alignment - 1 & -alignment;
    }
}
