package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.kvmdb.ffi.MapNodeDescriptor;

/** A view of a map node, whether in memory or stored. A walk reuses it; under the append lock. */
final class NodeView {

    private final MemorySegment image;
    private NodeArena arena;
    private int node;
    private int birth;

    NodeView(Arena memory) {
        image = memory.allocate(1 << StoredNode.LONG_SHIFT, 64);
    }

    /** Shows a node of the arena. */
    NodeView show(NodeArena nodes, int index) {
        arena = nodes;
        node = index;
        birth = nodes.birth(index);
        return this;
    }

    /** Shows a stored node; one without entries when it cannot be had and the loader's listener bears that. */
    NodeView show(MapLoader loader, Version version, int level, long lpn, long ppn) {
        arena = null;
        loader.read(version, level, lpn, ppn, image);
        birth = loader.birthRead();
        return this;
    }

    long entry(int index) {
        return arena != null ? arena.entry(node, index) : StoredNode.entry(image, index);
    }

    int entryBirth(int index) {
        return arena != null ? arena.entryBirth(node, index) : StoredNode.entryBirth(image, index);
    }

    /** Birth of the node itself. */
    int birth() {
        return birth;
    }

    /** First index that has something at a page or behind it, for a node that begins at that base. */
    static int firstIndex(long fromLpn, long base, int level) {
        return fromLpn <= base
                ? 0
                : (int) Math.min(fromLpn - base >>> NodeIdentity.shift(level), MapNodeDescriptor.FANOUT);
    }
}
