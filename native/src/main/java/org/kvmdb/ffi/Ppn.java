package org.kvmdb.ffi;

/**
 * A PPN: the 64-bit packed locator of a block. Zero means that there is none (a hole, which reads as zeros).
 *
 * <pre>
 *  63                         36 35                18 17          7 6      0
 * +-----------------------------+--------------------+-------------+--------+
 * |  logical segment (28 bits)  | offset (18), units | length (11) | flags  |
 * +-----------------------------+--------------------+-------------+--------+
 * </pre>
 *
 * <p>Offset and length count units of {@value #UNIT_BYTES} bytes; a block starts on a unit and its length includes its
 * header. 16 MiB segments times 2^28 are 4 PiB. The flags are zero in every PPN that is stored. The same layout is in
 * {@code layout.h}.
 */
public final class Ppn {

    public static final int UNIT_BYTES = 64;
    public static final int SEGMENT_BITS = 28;
    public static final int OFFSET_BITS = 18;
    public static final int LENGTH_BITS = 11;
    public static final int FLAG_BITS = 7;

    public static final int LENGTH_SHIFT = FLAG_BITS;
    public static final int OFFSET_SHIFT = LENGTH_SHIFT + LENGTH_BITS;
    public static final int SEGMENT_SHIFT = OFFSET_SHIFT + OFFSET_BITS;

    /** The largest segment that an offset can address. */
    public static final int SEGMENT_BYTES_MAX = UNIT_BYTES << OFFSET_BITS;

    private Ppn() {}

    /** Packs a locator; the offset and the length are bytes and whole units. */
    public static long pack(int segment, int offsetBytes, int lengthBytes) {
        final long offset = offsetBytes / UNIT_BYTES;
        final long length = lengthBytes / UNIT_BYTES;
        if (segment < 0 || segment >>> SEGMENT_BITS != 0 || offset >>> OFFSET_BITS != 0 || length >>> LENGTH_BITS != 0
                || length == 0 || offsetBytes % UNIT_BYTES != 0 || lengthBytes % UNIT_BYTES != 0) {
            throw new IllegalArgumentException(
                    "no such block: segment=%d offset=%d length=%d".formatted(segment, offsetBytes, lengthBytes));
        }
        return (long) segment << SEGMENT_SHIFT | offset << OFFSET_SHIFT | length << LENGTH_SHIFT;
    }

    public static int segment(long ppn) {
        return (int) (ppn >>> SEGMENT_SHIFT);
    }

    public static int offsetBytes(long ppn) {
        return (int) (ppn >>> OFFSET_SHIFT & (1L << OFFSET_BITS) - 1) * UNIT_BYTES;
    }

    public static int lengthBytes(long ppn) {
        return (int) (ppn >>> LENGTH_SHIFT & (1L << LENGTH_BITS) - 1) * UNIT_BYTES;
    }

    public static int flags(long ppn) {
        return (int) (ppn & (1L << FLAG_BITS) - 1);
    }

    public static String toString(long ppn) {
        return ppn == 0
                ? "none"
                : "%d:%d+%d".formatted(segment(ppn), offsetBytes(ppn), lengthBytes(ppn));
    }
}
