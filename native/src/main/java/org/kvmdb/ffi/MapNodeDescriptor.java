package org.kvmdb.ffi;

/**
 * The map in memory: a radix tree of 512-ary nodes, {@value #HEIGHT} levels, of the same shape as the MMU's. Nodes lie in
 * one arena and are named by their index in it, never by address; index 0 is no node. An entry has 8 bytes:
 *
 * <pre>
 *   leaf entry       PPN of the page's block                     0: a hole, reads as zeros
 *   interior entry   node index &lt;&lt; 1 | 1: a child in memory     even, not 0: PPN of a child that is not loaded     0: none
 * </pre>
 *
 * <p>Written by one thread at a time, with release stores; read without locks by the fault handler.
 */
public final class MapNodeDescriptor {

    public static final int FANOUT_BITS = 9;
    public static final int FANOUT = 1 << FANOUT_BITS;
    public static final int HEIGHT = 4;
    public static final int ENTRY_LENGTH = Long.BYTES;
    public static final int NODE_LENGTH = FANOUT * ENTRY_LENGTH;

    /** One past the largest LPN that a map can hold. */
    public static final long LPN_LIMIT = 1L << FANOUT_BITS * HEIGHT;

    private MapNodeDescriptor() {}

    public static long childEntry(int node) {
        return (long) node << 1 | 1;
    }

    public static boolean isInMemory(long interiorEntry) {
        return (interiorEntry & 1) != 0;
    }

    public static int childNode(long interiorEntry) {
        return (int) (interiorEntry >>> 1);
    }

    /** Index of an LPN's entry within the node of a level; level 0 is the leaf. */
    public static int index(long lpn, int level) {
        return (int) (lpn >>> FANOUT_BITS * level) & FANOUT - 1;
    }
}
