package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import org.agrona.collections.IntArrayList;
import org.agrona.collections.Long2LongHashMap;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.NativeMemory;
import org.kvmdb.ffi.StorageException;

/**
 * The memory of map nodes. One writer at a time (the append lock); entries are read by anybody with acquire loads.
 *
 * <p>A node counts its holders in memory: nodes above it, roots, whoever works with it. Without any it is unlinked, and
 * handed out again after the readers' grace. What becomes of its stored copy is not decided here.
 *
 * <p>Beside each node lies what the writer knows of it:
 * <pre>
 *   0          8          16      20           24        28      32
 *  +----------+----------+-------+------------+---------+-------+
 *  | location | identity | birth | generation | holders | flags |
 *  +----------+----------+-------+------------+---------+-------+
 * </pre>
 * location: PPN of its last checkpointed copy, with the lowest bit set while memory is newer (the flags of a PPN are zero).
 * identity: of that copy, see {@link NodeIdentity#packed}.
 * birth: epoch that it was made for; entries were born then, too, unless MIXED: then each has a birth of its own.
 * generation: of the cut that it came after.
 */
final class NodeArena implements AutoCloseable {

    static final long DIRTY = 1;

    static final long NODES_MAX = 1L << 24;

    static final int BIRTHS_LENGTH = MapNodeDescriptor.FANOUT * Integer.BYTES;

    private static final int IDENTITY_OFFSET = Long.BYTES;
    private static final int BIRTH_OFFSET = IDENTITY_OFFSET + Long.BYTES;
    private static final int GENERATION_OFFSET = BIRTH_OFFSET + Integer.BYTES;
    private static final int HOLDERS_OFFSET = GENERATION_OFFSET + Integer.BYTES;
    private static final int FLAGS_OFFSET = HOLDERS_OFFSET + Integer.BYTES;
    private static final int INFO_LENGTH = FLAGS_OFFSET + Integer.BYTES;

    private static final int MIXED = 1;
    private static final int COLLECTED = 2;
    private static final int INTERIOR = 4;

    private static final int NO_NODE = 0;
    private static final VarHandle ENTRY = ValueLayout.JAVA_LONG.varHandle();

    private static final long NODES_LENGTH = NODES_MAX * MapNodeDescriptor.NODE_LENGTH;
    private static final long BIRTHS_END = NODES_LENGTH + NODES_MAX * BIRTHS_LENGTH;
    private static final long INFOS_END = BIRTHS_END + NODES_MAX * INFO_LENGTH;

    private final NativeMemory memory = NativeMemory.reserve(INFOS_END);
    private final MemorySegment nodeSegment = memory.segment().asSlice(0, NODES_LENGTH);
    private final MemorySegment birthSegment = memory.segment().asSlice(NODES_LENGTH, BIRTHS_END - NODES_LENGTH);
    private final MemorySegment infoSegment = memory.segment().asSlice(BIRTHS_END);
    /** Nodes whose memory equals a stored copy, by its PPN: what several versions share is in memory once. */
    private final Long2LongHashMap byPpn = new Long2LongHashMap(NO_NODE);

    private final IntArrayList free = new IntArrayList();
    /** Unlinked since the last {@link #reclaim}; then waiting for the grace of {@link #waitingEpoch}. */
    private IntArrayList unlinked = new IntArrayList();

    private IntArrayList waiting = new IntArrayList();
    private long waitingEpoch;
    private int next = 1;
    private int dirtyCount;
    private int count;

    long address() {
        return nodeSegment.address();
    }

    int dirtyCount() {
        return dirtyCount;
    }

    int count() {
        return count;
    }

    /** A node of zeros with one holder, dirty, that nothing is stored of. */
    int allocate(int level, int birth, int generation) {
        checkRoom();
        final int node;
        if (!free.isEmpty()) {
            node = free.removeAt(free.size() - 1);
            memory(node).fill((byte) 0);
        } else {
            node = next++; // never used: zeros
        }
        location(node, DIRTY);
        putInfo(node, BIRTH_OFFSET, birth);
        putInfo(node, GENERATION_OFFSET, generation);
        putInfo(node, HOLDERS_OFFSET, 1);
        putInfo(node, FLAGS_OFFSET, level > 0 ? INTERIOR : 0);
        dirtyCount++;
        count++;
        return node;
    }

    /** Throws when there is no room for one more. */
    void checkRoom() {
        if (free.isEmpty() && next >= NODES_MAX) {
            throw new StorageException(
                    ErrorCode.BUSY, "map is full: %d nodes; write less at a time or fewer volumes".formatted(NODES_MAX));
        }
    }

    /** A copy with one holder; its entries keep their births. */
    int copyOf(int node, int level, int birth, int generation) {
        final int copy = allocate(level, birth, generation);
        MemorySegment.copy(nodeSegment, offset(node), nodeSegment, offset(copy), MapNodeDescriptor.NODE_LENGTH);
        if (isMixed(node)) {
            MemorySegment.copy(birthSegment, birthsOffset(node), birthSegment, birthsOffset(copy), BIRTHS_LENGTH);
            flag(copy, MIXED, true);
        } else if (birth(node) != birth) {
            mixBirths(copy, birth(node));
        }
        if (level > 0) {
            for (int index = 0; index < MapNodeDescriptor.FANOUT; index++) {
                final long entry = entry(copy, index);
                if (MapNodeDescriptor.isInMemory(entry)) {
                    hold(MapNodeDescriptor.childNode(entry));
                }
            }
        }
        return copy;
    }

    long entry(int node, int index) {
        return (long) ENTRY.getAcquire(nodeSegment, offset(node) + (long) index * MapNodeDescriptor.ENTRY_LENGTH);
    }

    /** Publishes an entry of the node's own birth: whoever sees it sees what it refers to. */
    void putEntry(int node, int index, long value) {
        if (isMixed(node)) {
            birthSegment.set(ValueLayout.JAVA_INT, birthsOffset(node) + (long) index * Integer.BYTES, birth(node));
        }
        replaceEntry(node, index, value);
    }

    /** Publishes another name of what an entry refers to already: its birth stays. */
    void replaceEntry(int node, int index, long value) {
        ENTRY.setRelease(nodeSegment, offset(node) + (long) index * MapNodeDescriptor.ENTRY_LENGTH, value);
    }

    int entryBirth(int node, int index) {
        return isMixed(node)
                ? birthSegment.get(ValueLayout.JAVA_INT, birthsOffset(node) + (long) index * Integer.BYTES)
                : birth(node);
    }

    MemorySegment memory(int node) {
        return nodeSegment.asSlice(offset(node), MapNodeDescriptor.NODE_LENGTH);
    }

    /** The births of a node that is {@link #isMixed}. */
    MemorySegment births(int node) {
        return birthSegment.asSlice(birthsOffset(node), BIRTHS_LENGTH);
    }

    boolean isMixed(int node) {
        return (info(node, FLAGS_OFFSET) & MIXED) != 0;
    }

    /** Gives all entries that birth, each its own from now on. */
    void mixBirths(int node, int birth) {
        final MemorySegment target = births(node);
        for (int i = 0; i < MapNodeDescriptor.FANOUT; i++) {
            target.setAtIndex(ValueLayout.JAVA_INT, i, birth);
        }
        flag(node, MIXED, true);
    }

    int birth(int node) {
        return info(node, BIRTH_OFFSET);
    }

    /** Sets the birth of a node that was loaded. */
    void birth(int node, int value) {
        putInfo(node, BIRTH_OFFSET, value);
    }

    int generation(int node) {
        return info(node, GENERATION_OFFSET);
    }

    /** A mark that a checkpoint sets on nodes that it will write. Returns whether it was not set before. */
    boolean markCollected(int node) {
        final boolean isNew = (info(node, FLAGS_OFFSET) & COLLECTED) == 0;
        flag(node, COLLECTED, true);
        return isNew;
    }

    void clearCollected(int node) {
        flag(node, COLLECTED, false);
    }

    boolean isDirty(int node) {
        return (location(node) & DIRTY) != 0;
    }

    /** PPN of the last checkpointed copy, or 0. */
    long ppn(int node) {
        return location(node) & ~DIRTY;
    }

    /** Where the last checkpointed copy lies of what a node above names, in memory or not; 0: there is none. */
    long storedAt(long entry) {
        return MapNodeDescriptor.isInMemory(entry) ? ppn(MapNodeDescriptor.childNode(entry)) : entry;
    }

    void markDirty(int node) {
        final long location = location(node);
        if ((location & DIRTY) == 0) {
            forget(node);
            location(node, location | DIRTY);
            dirtyCount++;
        }
    }

    /** @param identity what the stored copy is sealed with: {@link NodeIdentity#packed} */
    void markStored(int node, long ppn, long identity) {
        if (isDirty(node)) {
            dirtyCount--;
        }
        location(node, ppn);
        infoSegment.set(ValueLayout.JAVA_LONG, infoOffset(node) + IDENTITY_OFFSET, identity);
        byPpn.put(ppn, node);
    }

    /** Sets where a copy of an older version of the node is, without saying that the node equals it. */
    void keepDirty(int node, long ppn) {
        location(node, ppn | location(node) & DIRTY);
    }

    private void forget(int node) {
        if (byPpn.get(ppn(node)) == node) {
            byPpn.remove(ppn(node));
        }
    }

    /** The node whose memory equals the one that is stored there, or 0. */
    int nodeStoredAt(long ppn, long identity) {
        final int node = (int) byPpn.get(ppn);
        final boolean isIt = node != NO_NODE
                && infoSegment.get(ValueLayout.JAVA_LONG, infoOffset(node) + IDENTITY_OFFSET) == identity;
        return isIt ? node : NO_NODE;
    }

    // ---- holders ----

    void hold(int node) {
        putInfo(node, HOLDERS_OFFSET, info(node, HOLDERS_OFFSET) + 1);
    }

    /** One holder less; the last one takes the node out of use, and what it alone holds below. */
    void release(int node) {
        final int holders = info(node, HOLDERS_OFFSET) - 1;
        putInfo(node, HOLDERS_OFFSET, holders);
        if (holders > 0) {
            return;
        }
        if ((info(node, FLAGS_OFFSET) & INTERIOR) != 0) {
            for (int index = 0; index < MapNodeDescriptor.FANOUT; index++) {
                final long entry = entry(node, index);
                if (MapNodeDescriptor.isInMemory(entry)) {
                    release(MapNodeDescriptor.childNode(entry));
                }
            }
        }
        unlink(node);
    }

    /** Takes a node out of use; its memory stays as it is until the readers' grace has passed. */
    private void unlink(int node) {
        if (isDirty(node)) {
            dirtyCount--;
        } else {
            forget(node);
        }
        location(node, 0);
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

    private void location(int node, long value) {
        infoSegment.set(ValueLayout.JAVA_LONG, infoOffset(node), value);
    }

    private int info(int node, int field) {
        return infoSegment.get(ValueLayout.JAVA_INT, infoOffset(node) + field);
    }

    private void putInfo(int node, int field, int value) {
        infoSegment.set(ValueLayout.JAVA_INT, infoOffset(node) + field, value);
    }

    private void flag(int node, int flag, boolean value) {
        final int flags = info(node, FLAGS_OFFSET);
        putInfo(node, FLAGS_OFFSET, value ? flags | flag : flags & ~flag);
    }

    private static long offset(int node) {
        return (long) node * MapNodeDescriptor.NODE_LENGTH;
    }

    private static long birthsOffset(int node) {
        return (long) node * BIRTHS_LENGTH;
    }

    private static long infoOffset(int node) {
        return (long) node * INFO_LENGTH;
    }

    @Override
    public void close() {
        memory.close();
    }
}
