package org.kvmdb.journal.fuzz;

/**
 * How often each edge of the instrumented code was taken. Each {@link InstrumentingLoader} defines a copy of this class of its
 * own, which its classes count in.
 */
public final class EdgeCounters {

    public static final int COUNT = 1 << 16;

    /** By number of the edge, modulo 256. */
    public static final byte[] COUNTS = new byte[COUNT];

    private EdgeCounters() {}

    /** Called by instrumented code. */
    public static void take(int edge) {
        COUNTS[edge]++;
    }
}
