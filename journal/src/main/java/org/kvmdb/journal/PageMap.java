package org.kvmdb.journal;

import org.agrona.collections.Int2IntHashMap;
import org.agrona.collections.IntArrayList;
import org.agrona.collections.LongArrayList;
import org.kvmdb.ffi.MapNodeDescriptor;

/**
 * The map of all volumes: radix trees of {@link NodeArena} nodes. Read by anybody without locks; changed by one writer
 * (the append lock).
 *
 * <p><b>Copy on write by epoch.</b> A checkpoint cuts by raising the epoch: nodes born before are frozen until it ends,
 * and the writer copies a frozen node before it changes it, with the path to the root. When the checkpoint has written
 * the frozen version, the copy inherits the place of that version as its predecessor's, and the frozen node is unlinked.
 * Between checkpoints nodes change in place.
 *
 * <p><b>Deaths of stored nodes.</b> When a node is written anew or removed, its older stored copy is still what the last
 * durable superblock reaches; such deaths are collected and count only when the next superblock is durable.
 */
final class PageMap {

    private static final int NOT_FROZEN = -1;
    private static final int TOP = MapNodeDescriptor.HEIGHT - 1;

    private final NodeArena arena;
    private final SegmentTable segments;
    private RootListener rootListener = (volume, node) -> {};
    private int epoch = 1;
    private int frozenEpoch = NOT_FROZEN;
    /** Copies made since the cut, each with the frozen node that it replaces. */
    private final Int2IntHashMap copyOf = new Int2IntHashMap(0);

    private final IntArrayList removedFrozen = new IntArrayList();
    private LongArrayList deaths = new LongArrayList();

    private VolumeEntry cachedVolume;
    private long cachedLeafIndex;
    private int cachedLeaf;

    PageMap(NodeArena arena, SegmentTable segments) {
        this.arena = arena;
        this.segments = segments;
    }

    void rootListener(RootListener listener) {
        rootListener = listener;
    }

    int epoch() {
        return epoch;
    }

    void epoch(int value) {
        epoch = value;
    }

    int newRoot() {
        return arena.allocate(epoch);
    }

    /** PPN of a page, or 0. Any thread. */
    long get(int root, long lpn) {
        int node = root;
        for (int level = TOP; level > 0; level--) {
            final long entry = arena.entry(node, MapNodeDescriptor.index(lpn, level));
            if (entry == 0) {
                return 0;
            }
            node = MapNodeDescriptor.childNode(entry);
        }
        return arena.entry(node, MapNodeDescriptor.index(lpn, 0));
    }

    /** Sets a page's entry (0: a hole), accounts for what lives and dies by it, and returns the old one. */
    long set(VolumeEntry volume, long lpn, long ppn) {
        final int leaf = writableLeaf(volume, lpn, ppn != 0);
        if (leaf == 0) {
            return 0;
        }
        final int index = MapNodeDescriptor.index(lpn, 0);
        final long old = arena.entry(leaf, index);
        if (ppn != 0) {
            segments.addLive(ppn);
        }
        if (old != 0) {
            segments.removeLive(old);
        }
        arena.putEntry(leaf, index, ppn);
        return old;
    }

    private int writableLeaf(VolumeEntry volume, long lpn, boolean create) {
        final long leafIndex = lpn >>> MapNodeDescriptor.FANOUT_BITS;
        if (cachedVolume == volume && cachedLeafIndex == leafIndex) {
            return cachedLeaf;
        }
        if (!create && !hasLeaf(volume.mapRoot(), lpn)) {
            return 0;
        }
        int node = writableRoot(volume);
        for (int level = TOP; level > 0; level--) {
            final int index = MapNodeDescriptor.index(lpn, level);
            final long entry = arena.entry(node, index);
            final int child = entry == 0 ? arena.allocate(epoch) : MapNodeDescriptor.childNode(entry);
            final int writable = writable(child);
            if (entry == 0 || writable != child) {
                arena.putEntry(node, index, MapNodeDescriptor.childEntry(writable));
            }
            node = writable;
        }
        cachedVolume = volume;
        cachedLeafIndex = leafIndex;
        cachedLeaf = node;
        return node;
    }

    private boolean hasLeaf(int root, long lpn) {
        int node = root;
        for (int level = TOP; level > 0; level--) {
            final long entry = arena.entry(node, MapNodeDescriptor.index(lpn, level));
            if (entry == 0) {
                return false;
            }
            node = MapNodeDescriptor.childNode(entry);
        }
        return true;
    }

    private int writableRoot(VolumeEntry volume) {
        final int root = volume.mapRoot();
        final int writable = writable(root);
        if (writable != root) {
            volume.mapRoot(writable);
            rootListener.rootChanged(volume.id(), writable);
        }
        return writable;
    }

    /** The node itself, dirty, or a dirty copy when the node is frozen. */
    private int writable(int node) {
        if (!isFrozen(node)) {
            arena.markDirty(node);
            return node;
        }
        final int copy = arena.allocate(epoch);
        arena.copy(node, copy);
        copyOf.put(copy, node);
        return copy;
    }

    private boolean isFrozen(int node) {
        return arena.birth(node) <= frozenEpoch;
    }

    private void forgetCached() {
        cachedVolume = null;
    }

    /** Sets a volume's size; no node is left that lies behind it as a whole. */
    void resize(VolumeEntry volume, long sizeBytes) {
        final long before = volume.pageCount();
        volume.sizeBytes(sizeBytes);
        if (volume.pageCount() < before) {
            trim(volume, volume.pageCount(), MapNodeDescriptor.LPN_LIMIT);
        }
    }

    /** Makes holes of a range of pages; whole subtrees go. */
    void trim(VolumeEntry volume, long firstLpn, long endLpn) {
        if (firstLpn >= endLpn) {
            return;
        }
        forgetCached();
        trimNode(writableRoot(volume), TOP, 0, firstLpn, Math.min(endLpn, MapNodeDescriptor.LPN_LIMIT));
        forgetCached();
    }

    private void trimNode(int node, int level, long base, long first, long end) {
        final int shift = MapNodeDescriptor.FANOUT_BITS * level;
        final int from = (int) (Math.max(first, base) - base >>> shift);
        for (int index = from; index < MapNodeDescriptor.FANOUT; index++) {
            final long childBase = base + ((long) index << shift);
            if (childBase >= end) {
                return;
            }
            final long entry = arena.entry(node, index);
            if (entry == 0) {
                continue;
            }
            if (level == 0) {
                arena.putEntry(node, index, 0);
                segments.removeLive(entry);
            } else if (childBase >= first && childBase + (1L << shift) <= end) {
                arena.putEntry(node, index, 0);
                removeSubtree(MapNodeDescriptor.childNode(entry), level - 1);
            } else {
                final int child = MapNodeDescriptor.childNode(entry);
                final int writable = writable(child);
                if (writable != child) {
                    arena.putEntry(node, index, MapNodeDescriptor.childEntry(writable));
                }
                trimNode(writable, level - 1, childBase, first, end);
            }
        }
    }

    /** Removes a volume's whole tree, the root too. */
    void remove(VolumeEntry volume) {
        forgetCached();
        removeSubtree(volume.mapRoot(), TOP);
    }

    private void removeSubtree(int node, int level) {
        for (int index = 0; index < MapNodeDescriptor.FANOUT; index++) {
            final long entry = arena.entry(node, index);
            if (entry != 0 && level == 0) {
                segments.removeLive(entry);
            } else if (entry != 0) {
                removeSubtree(MapNodeDescriptor.childNode(entry), level - 1);
            }
        }
        removeNode(node);
    }

    private void removeNode(int node) {
        if (isFrozen(node)) {
            removedFrozen.addInt(node);
            return;
        }
        final int frozen = copyOf.remove(node);
        if (frozen != 0) {
            removedFrozen.addInt(frozen);
        } else if (arena.ppn(node) != 0) {
            deaths.addLong(arena.ppn(node));
        }
        arena.unlink(node);
    }

    /** Calls for every mapped page, in order. Any thread, while the caller keeps nodes from being reused. */
    void forEach(int root, MappedPageConsumer consumer) {
        forEach(root, TOP, 0, consumer);
    }

    private void forEach(int node, int level, long base, MappedPageConsumer consumer) {
        for (int index = 0; index < MapNodeDescriptor.FANOUT; index++) {
            final long entry = arena.entry(node, index);
            final long lpn = base | index;
            if (entry != 0 && level == 0) {
                consumer.accept(lpn, entry);
            } else if (entry != 0) {
                forEach(MapNodeDescriptor.childNode(entry), level - 1, lpn << MapNodeDescriptor.FANOUT_BITS, consumer);
            }
        }
    }

    /** Freezes all nodes; returns the deaths that count when the checkpoint is durable. */
    LongArrayList cut() {
        forgetCached();
        frozenEpoch = epoch++;
        final LongArrayList result = deaths;
        deaths = new LongArrayList();
        return result;
    }

    /** The checkpoint of the last cut was given up: what would have died with it dies with the next. */
    void restoreDeaths(LongArrayList cutDeaths) {
        deaths.addAll(cutDeaths);
    }

    /** Stored nodes that are dead once the next checkpoint is durable. */
    LongArrayList deaths() {
        return deaths;
    }

    /** The checkpoint of the last cut is written: frozen nodes that were replaced or removed go. */
    void thaw() {
        forgetCached();
        frozenEpoch = NOT_FROZEN;
        copyOf.forEach((copy, frozen) -> {
            arena.keepDirty(copy, arena.ppn(frozen));
            arena.unlink(frozen);
        });
        copyOf.clear();
        for (int i = 0; i < removedFrozen.size(); i++) {
            final int node = removedFrozen.getInt(i);
            if (arena.ppn(node) != 0) {
                deaths.addLong(arena.ppn(node));
            }
            arena.unlink(node);
        }
        removedFrozen.clear();
    }
}
