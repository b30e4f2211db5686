package org.kvmdb.cache;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Reusable native memory for one piece of data in transit. Any number may be in use at a time; a few are kept for
 * reuse.
 */
final class Scratch {

    /** Of a piece. */
    static final int BYTES = 64 << 10;

    private static final int PLACES = 16;
    private static final int ALIGNMENT = 64;

    private final AtomicReferenceArray<MemorySegment> idle = new AtomicReferenceArray<>(PLACES);

    MemorySegment take() {
        final MemorySegment kept = idle.getAndSet(place(), null);
        return kept != null ? kept : Arena.ofAuto().allocate(BYTES, ALIGNMENT);
    }

    /** What finds its place taken is left to the garbage collector. */
    void giveBack(MemorySegment piece) {
        idle.set(place(), piece);
    }

    private static int place() {
        return (int) (Thread.currentThread().threadId() % PLACES);
    }
}
