package org.kvmdb.journal;

import org.agrona.collections.Int2IntHashMap;
import org.agrona.collections.IntArrayList;
import org.agrona.collections.LongArrayList;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;

/**
 * The maps of all versions: radix trees of {@link NodeArena} nodes, which versions share. Any thread reads them without
 * locks. One writer (the append lock) changes them, and only through heads.
 *
 * <p><b>Copy on write.</b> A node is shared if its birth is not above the epoch of the head's parent. Then the head
 * gets a copy of its own, with the path to the root, and the parent keeps the node. From a checkpoint's cut to its end
 * a node is <em>frozen</em>. Then a copy takes its place; when the checkpoint has written the frozen node, the copy
 * inherits the stored location as that of its predecessor. Otherwise nodes change in place.
 *
 * <p><b>Deaths of stored nodes.</b> When a node is written anew or removed, the last durable superblock still refers to
 * its older stored copy. Such deaths are collected, and count only once the next superblock is durable.
 */
final class PageMap {

    private static final int NOT_FROZEN = -1;
    static final int TOP = MapNodeDescriptor.HEIGHT - 1;

    private final NodeArena arena;
    private final SegmentTable segments;
    private final MapLoader loader;
    private RootListener rootListener = (volume, node) -> {};
    private int generation = 1;
    private int frozenGeneration = NOT_FROZEN;
    /** Copies made since the cut, each with the frozen node that it replaces; both are held. */
    private final Int2IntHashMap copyOf = new Int2IntHashMap(0);

    private final IntArrayList removedFrozen = new IntArrayList();
    private LongArrayList deaths = new LongArrayList();

    private VolumeEntry cachedVolume;
    private long cachedLeafIndex;
    private int cachedLeaf;

    PageMap(NodeArena arena, SegmentTable segments, MapLoader loader) {
        this.arena = arena;
        this.segments = segments;
        this.loader = loader;
    }

    void rootListener(RootListener listener) {
        rootListener = listener;
    }

    // ---- roots ----

    /** Gives a head that is new a map of holes. */
    void newRoot(VolumeEntry volume) {
        volume.mapRoot(arena.allocate(TOP, volume.ownBirth(), generation));
    }

    /** Throws when there is no room for a root. */
    void prepareRoot() {
        arena.checkRoom();
    }

    /** Brings the whole map of a version into memory, if it is not there. */
    void load(Version version) {
        if (version.mapRoot() != 0) {
            return;
        }
        if (version.storedRoot() == 0) {
            version.mapRoot(arena.allocate(TOP, version.ownBirth(), generation));
        } else {
            version.mapRoot(loader.load(version, generation));
        }
    }

    /** Lets go of the memory of a map that is not written any more, not used, and stored as it is. */
    void unloadIfIdle(Version version) {
        final int root = version.mapRoot();
        final boolean isWritten = version instanceof VolumeEntry && !version.isDeleted();
        if (root != 0 && !isWritten && version.mapUsers() == 0 && !arena.isDirty(root)) {
            version.storedRoot(arena.ppn(root));
            version.mapRoot(0);
            arena.release(root);
        }
    }

    /** Lets one version have the same map as another, whatever that has. */
    void share(Version from, Version to) {
        forgetCached();
        if (from.mapRoot() != 0) {
            arena.hold(from.mapRoot());
        }
        final int before = to.mapRoot();
        to.storedRoot(from.storedRoot());
        to.mapRoot(from.mapRoot());
        to.referenced(from.referencedPages(), from.referencedBytes());
        if (before != 0) {
            rootListener.rootChanged(to.id(), to.mapRoot());
            arena.release(before);
        }
    }

    /** Lets go of what a version that is dropped has in memory. */
    void releaseRoot(Version version) {
        if (version.mapRoot() != 0) {
            arena.release(version.mapRoot());
            version.mapRoot(0);
        }
    }

    /** The root as an entry of a node above would name it: a node in memory, a PPN, or 0. */
    static long rootEntry(Version version) {
        return version.mapRoot() != 0 ? MapNodeDescriptor.childEntry(version.mapRoot()) : version.storedRoot();
    }

    // ---- pages ----

    /** PPN of a page, or 0, of a map that is in memory. Any thread. */
    long get(int root, long lpn) {
        final int leaf = leafOf(root, lpn);
        return leaf == 0 ? 0 : arena.entry(leaf, MapNodeDescriptor.index(lpn, 0));
    }

    private int leafOf(int root, long lpn) {
        int node = root;
        for (int level = TOP; level > 0; level--) {
            final long entry = arena.entry(node, MapNodeDescriptor.index(lpn, level));
            if (entry == 0) {
                return 0;
            }
            node = MapNodeDescriptor.childNode(entry);
        }
        return node;
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
            volume.addReferenced(1, Ppn.lengthBytes(ppn));
        }
        if (old != 0) {
            removePage(volume, leaf, lpn, old);
        }
        arena.putEntry(leaf, index, ppn);
        return old;
    }

    /** Accounts for an entry that the head loses; the block dies when nobody inherited it or left it. */
    private void removePage(VolumeEntry volume, int leaf, long lpn, long old) {
        volume.addReferenced(-1, -Ppn.lengthBytes(old));
        if (arena.entryBirth(leaf, MapNodeDescriptor.index(lpn, 0)) > volume.parentEpoch(lpn + 1)) {
            segments.removeLive(old);
        }
    }

    /**
     * Points a page's entry from one block to a copy of it; false, with nothing changed, when it does not name the old one.
     * The head alone held it; a recovery may find that a version still does of which the deletion is to be done again, and that
     * keeps the old one then.
     */
    boolean move(VolumeEntry volume, long lpn, long oldPpn, long newPpn) {
        if (isOwn(volume, lpn, oldPpn)) {
            segments.moveLive(oldPpn, newPpn);
            arena.replaceEntry(writableLeaf(volume, lpn, true), MapNodeDescriptor.index(lpn, 0), newPpn);
            return true;
        }
        if (get(volume.mapRoot(), lpn) != oldPpn) {
            return false;
        }
        set(volume, lpn, newPpn);
        return true;
    }

    /** Whether a page's entry names that block, and no other version holds it. */
    boolean isOwn(VolumeEntry volume, long lpn, long ppn) {
        load(volume);
        final int leaf = leafOf(volume.mapRoot(), lpn);
        final int index = MapNodeDescriptor.index(lpn, 0);
        return leaf != 0
                && arena.entry(leaf, index) == ppn
                && arena.entryBirth(leaf, index) > volume.parentEpoch(lpn + 1);
    }

    /** Has the next checkpoint write a node anew if it is stored there and the head's alone; returns whether it is. */
    boolean rewriteNode(VolumeEntry volume, int level, long lpn, long ppn) {
        load(volume);
        int node = volume.mapRoot();
        for (int at = TOP; at > level && node != 0; at--) {
            node = MapNodeDescriptor.childNode(arena.entry(node, MapNodeDescriptor.index(lpn, at)));
        }
        if (node == 0 || arena.ppn(node) != ppn || isShared(volume, node, endOf(lpn, level + 1))) {
            return false;
        }
        forgetCached();
        node = writableRoot(volume);
        for (int at = TOP; at > level; at--) {
            node = writableChild(volume, node, at, lpn);
        }
        return true;
    }

    private int writableLeaf(VolumeEntry volume, long lpn, boolean create) {
        final long leafIndex = lpn >>> MapNodeDescriptor.FANOUT_BITS;
        if (cachedVolume == volume && cachedLeafIndex == leafIndex) {
            return cachedLeaf;
        }
        load(volume);
        if (!create && leafOf(volume.mapRoot(), lpn) == 0) {
            return 0;
        }
        int node = writableRoot(volume);
        for (int level = TOP; level > 0; level--) {
            node = writableChild(volume, node, level, lpn);
        }
        cachedVolume = volume;
        cachedLeafIndex = leafIndex;
        cachedLeaf = node;
        return node;
    }

    private int writableChild(VolumeEntry volume, int node, int level, long lpn) {
        final int index = MapNodeDescriptor.index(lpn, level);
        final long entry = arena.entry(node, index);
        if (entry == 0) {
            final int child = arena.allocate(level - 1, volume.ownBirth(), generation);
            arena.putEntry(node, index, MapNodeDescriptor.childEntry(child));
            return child;
        }
        final int child = MapNodeDescriptor.childNode(entry);
        final int writable = writable(volume, child, level - 1, endOf(lpn, level));
        if (writable != child) {
            arena.putEntry(node, index, MapNodeDescriptor.childEntry(writable));
            arena.release(child);
        }
        return writable;
    }

    /** End of the pages that the entry of a node of that level covers which the page lies under. */
    static long endOf(long lpn, int level) {
        return ((lpn >>> NodeIdentity.shift(level)) + 1) << NodeIdentity.shift(level);
    }

    private int writableRoot(VolumeEntry volume) {
        final int root = volume.mapRoot();
        final int writable = writable(volume, root, TOP, MapNodeDescriptor.LPN_LIMIT);
        if (writable != root) {
            volume.mapRoot(writable);
            rootListener.rootChanged(volume.id(), writable);
            arena.release(root);
        }
        return writable;
    }

    /** The node itself, dirty, or a dirty copy when it is shared or frozen. */
    private int writable(VolumeEntry volume, int node, int level, long endLpn) {
        if (isShared(volume, node, endLpn)) {
            return arena.copyOf(node, level, volume.ownBirth(), generation);
        }
        if (!isFrozen(node)) {
            arena.markDirty(node);
            return node;
        }
        final int copy = arena.copyOf(node, level, arena.birth(node), generation);
        copyOf.put(copy, node);
        arena.hold(node);
        arena.hold(copy);
        return copy;
    }

    private boolean isShared(VolumeEntry volume, int node, long endLpn) {
        return arena.birth(node) <= volume.parentEpoch(endLpn);
    }

    private boolean isFrozen(int node) {
        return arena.generation(node) <= frozenGeneration;
    }

    void forgetCached() {
        cachedVolume = null;
    }

    // ---- ranges ----

    /** Sets a volume's size; no node is left that lies behind it as a whole. */
    void resize(VolumeEntry volume, long sizeBytes) {
        final long before = volume.pageCount();
        load(volume); // while it is as large as its map says
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
        load(volume);
        trimNode(volume, writableRoot(volume), TOP, 0, firstLpn, Math.min(endLpn, MapNodeDescriptor.LPN_LIMIT));
        forgetCached();
    }

    private void trimNode(VolumeEntry volume, int node, int level, long base, long first, long end) {
        final int shift = NodeIdentity.shift(level);
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
                removePage(volume, node, childBase, entry);
                arena.putEntry(node, index, 0);
            } else if (childBase >= first && childBase + (1L << shift) <= end) {
                final int child = MapNodeDescriptor.childNode(entry);
                removeSubtree(volume, child, level - 1, childBase);
                arena.putEntry(node, index, 0);
                arena.release(child);
            } else {
                trimNode(volume, writableChild(volume, node, level, childBase), level - 1, childBase, first, end);
            }
        }
    }

    /** Accounts for a subtree that the head loses. The caller lets go of its memory. */
    private void removeSubtree(VolumeEntry volume, int node, int level, long base) {
        for (int index = 0; index < MapNodeDescriptor.FANOUT; index++) {
            final long entry = arena.entry(node, index);
            final long childBase = base + ((long) index << NodeIdentity.shift(level));
            if (entry != 0 && level == 0) {
                removePage(volume, node, childBase, entry);
            } else if (entry != 0) {
                removeSubtree(volume, MapNodeDescriptor.childNode(entry), level - 1, childBase);
            }
        }
        if (!isShared(volume, node, base + (1L << NodeIdentity.shift(level + 1)))) {
            killNode(node);
        }
    }

    /** The stored copy of a node that no version holds any more dies with the next checkpoint. */
    void killNode(int node) {
        if (isFrozen(node)) {
            arena.hold(node);
            removedFrozen.addInt(node);
            return;
        }
        final int frozen = copyOf.remove(node);
        if (frozen != 0) {
            arena.release(node);
            removedFrozen.addInt(frozen);
        } else if (arena.ppn(node) != 0) {
            deaths.addLong(arena.ppn(node));
        }
    }

    /** As {@link #killNode}, of a node as one above names it; returns where its stored copy lies, or 0. */
    long kill(long entry) {
        if (MapNodeDescriptor.isInMemory(entry)) {
            final int node = MapNodeDescriptor.childNode(entry);
            killNode(node);
            return arena.ppn(node);
        }
        deaths.addLong(entry);
        return entry;
    }

    // ---- checkpoint ----

    /** Freezes all nodes; returns the deaths that count when the checkpoint is durable. */
    LongArrayList cut() {
        forgetCached();
        frozenGeneration = generation++;
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
        frozenGeneration = NOT_FROZEN;
        copyOf.forEach((copy, frozen) -> {
            arena.keepDirty(copy, arena.ppn(frozen));
            arena.release(frozen);
            arena.release(copy);
        });
        copyOf.clear();
        for (int i = 0; i < removedFrozen.size(); i++) {
            final int node = removedFrozen.getInt(i);
            if (arena.ppn(node) != 0) {
                deaths.addLong(arena.ppn(node));
            }
            arena.release(node);
        }
        removedFrozen.clear();
    }
}
