package org.kvmdb.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * LPNs off the heap, each with a PPN beside it, as the shim's batch calls take and give them. Grows; keeps its memory for
 * the next use. The memory goes with the object: closing a shared arena would stop all threads, at every commit. Not
 * thread-safe, but what is in it may be read by several threads while nobody changes it.
 */
public final class LpnList {

    private static final long CAPACITY_MIN = 256;

    private MemorySegment lpns;
    private MemorySegment ppns;
    private long capacity;
    private long size;

    public LpnList() {
        ensureCapacity(CAPACITY_MIN);
    }

    public long size() {
        return size;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    public void clear() {
        size = 0;
    }

    public long lpn(long index) {
        return lpns.getAtIndex(ValueLayout.JAVA_LONG, index);
    }

    public long ppn(long index) {
        return ppns.getAtIndex(ValueLayout.JAVA_LONG, index);
    }

    public void ppn(long index, long ppn) {
        ppns.setAtIndex(ValueLayout.JAVA_LONG, index, ppn);
    }

    /** Address of the LPN at an index. */
    long lpnAddress(long index) {
        return lpns.address() + index * Long.BYTES;
    }

    long ppnAddress(long index) {
        return ppns.address() + index * Long.BYTES;
    }

    /** Room for that many more than there are. */
    long room(long more) {
        ensureCapacity(size + more);
        return capacity - size;
    }

    void added(long count) {
        size += count;
    }

    private void ensureCapacity(long wanted) {
        if (wanted <= capacity) {
            return;
        }
        final long grown = Math.max(wanted, capacity * 2);
        final Arena arena = Arena.ofAuto();
        final MemorySegment largerLpns = arena.allocate(ValueLayout.JAVA_LONG, grown);
        final MemorySegment largerPpns = arena.allocate(ValueLayout.JAVA_LONG, grown);
        if (size > 0) {
            MemorySegment.copy(lpns, 0, largerLpns, 0, size * Long.BYTES);
            MemorySegment.copy(ppns, 0, largerPpns, 0, size * Long.BYTES);
        }
        lpns = largerLpns;
        ppns = largerPpns;
        capacity = grown;
    }
}
