package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import org.agrona.collections.IntArrayList;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.NativeMemory;
import org.kvmdb.ffi.StorageException;

/**
 * The memory of all map nodes. One writer at a time (the append lock); entries are read by anybody with acquire loads.
 * A node that was unlinked is handed out again only after the readers' grace.
 *
 * <p>Beside each node lies what the writer knows of it: where its last checkpointed copy is, with the lowest bit set
 * while memory is newer (the flags of a PPN are zero), and the epoch it was born in.
 */
final class NodeArena implements AutoCloseable {

    static final long DIRTY = 1;

    static final long NODES_MAX = 1L << 24;
    private static final int INFO_LENGTH = 2 * Long.BYTES;
    private static final VarHandle ENTRY = ValueLayout.JAVA_LONG.varHandle();

    private final NativeMemory nodes = NativeMemory.reserve(NODES_MAX * MapNodeDescriptor.NODE_LENGTH);
    private final NativeMemory infos = NativeMemory.reserve(NODES_MAX * INFO_LENGTH);
    private final MemorySegment nodeSegment = nodes.segment();
    private final MemorySegment infoSegment = infos.segment();
    private final IntArrayList free = new IntArrayList();
    /** Unlinked since the last {@link #reclaim}; then waiting for the grace of {@link #waitingEpoch}. */
    private IntArrayList unlinked = new IntArrayList();

    private IntArrayList waiting = new IntArrayList();
    private long waitingEpoch;
    private int next = 1;
    private int dirtyCount;
    private int count;

    long address() {
        return nodes.address();
    }

    int dirtyCount() {
        return dirtyCount;
    }

    int count() {
        return count;
    }

    /** A node of zeros, dirty, that nothing is stored of. */
    int allocate(int birth) {
        final int node;
        if (!free.isEmpty()) {
            node = free.removeAt(free.size() - 1);
        } else if (next < NODES_MAX) {
            node = next++;
        } else {
            throw new StorageException(
                    ErrorCode.BUSY, "map is full: %d nodes; write less at a time or fewer volumes".formatted(NODES_MAX));
        }
        nodeSegment.asSlice(offset(node), MapNodeDescriptor.NODE_LENGTH).fill((byte) 0);
        putInfo(node, DIRTY, birth);
        dirtyCount++;
        count++;
        return node;
    }

    long entry(int node, int index) {
        return (long) ENTRY.getAcquire(nodeSegment, offset(node) + (long) index * MapNodeDescriptor.ENTRY_LENGTH);
    }

    /** Publishes an entry: whoever sees it sees what it refers to. */
    void putEntry(int node, int index, long value) {
        ENTRY.setRelease(nodeSegment, offset(node) + (long) index * MapNodeDescriptor.ENTRY_LENGTH, value);
    }

    MemorySegment memory(int node) {
        return nodeSegment.asSlice(offset(node), MapNodeDescriptor.NODE_LENGTH);
    }

    void copy(int from, int to) {
        MemorySegment.copy(nodeSegment, offset(from), nodeSegment, offset(to), MapNodeDescriptor.NODE_LENGTH);
    }

    int birth(int node) {
        return (int) infoSegment.get(ValueLayout.JAVA_LONG, infoOffset(node) + Long.BYTES);
    }

    boolean isDirty(int node) {
        return (location(node) & DIRTY) != 0;
    }

    /** PPN of the last checkpointed copy, or 0. */
    long ppn(int node) {
        return location(node) & ~DIRTY;
    }

    void markDirty(int node) {
        final long location = location(node);
        if ((location & DIRTY) == 0) {
            infoSegment.set(ValueLayout.JAVA_LONG, infoOffset(node), location | DIRTY);
            dirtyCount++;
        }
    }

    void markStored(int node, long ppn) {
        if (isDirty(node)) {
            dirtyCount--;
        }
        infoSegment.set(ValueLayout.JAVA_LONG, infoOffset(node), ppn);
    }

    /** Sets where a copy of an older version of the node is, without saying that the node equals it. */
    void keepDirty(int node, long ppn) {
        infoSegment.set(ValueLayout.JAVA_LONG, infoOffset(node), ppn | location(node) & DIRTY);
    }

    /** Takes a node out of use; its memory stays as it is until the readers' grace has passed. */
    void unlink(int node) {
        if (isDirty(node)) {
            dirtyCount--;
        }
        putInfo(node, 0, 0);
        count--;
        unlinked.addInt(node);
    }

    /** Hands unlinked nodes on towards reuse; never waits. */
    void reclaim(ReaderGrace grace) {
        if (!waiting.isEmpty()) {
            if (!grace.passed(waitingEpoch)) {
                return;
            }
            free.addAll(waiting);
            waiting.clear();
        }
        if (!unlinked.isEmpty()) {
            final IntArrayList swap = waiting;
            waiting = unlinked;
            unlinked = swap;
            waitingEpoch = grace.advance();
        }
    }

    private long location(int node) {
        return infoSegment.get(ValueLayout.JAVA_LONG, infoOffset(node));
    }

    private void putInfo(int node, long location, int birth) {
        infoSegment.set(ValueLayout.JAVA_LONG, infoOffset(node), location);
        infoSegment.set(ValueLayout.JAVA_LONG, infoOffset(node) + Long.BYTES, birth);
    }

    private static long offset(int node) {
        return (long) node * MapNodeDescriptor.NODE_LENGTH;
    }

    private static long infoOffset(int node) {
        return (long) node * INFO_LENGTH;
    }

    @Override
    public void close() {
        nodes.close();
        infos.close();
    }
}
