package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.kvmdb.ffi.MapNodeDescriptor;

/**
 * Walks the maps of versions, whether their nodes are in memory or only stored. Under the append lock. Long walks
 * proceed in pieces: each method takes the LPN to begin at and returns the LPN to continue at, or {@link #END}. A piece
 * ends before a leaf, so a node is shown in the piece that passes its last page.
 */
final class MapWalk {

    static final long END = -1;

    private static final int FANOUT = MapNodeDescriptor.FANOUT;

    /** Receives what a walk finds: pages in order of their LPN, a node behind all that is beneath it. */
    interface Visitor {
        void page(long lpn, long ppn);

        /** @param entry as a node above names it: a node in memory, or the PPN of a stored one */
        void node(int level, long lpn, long entry);
    }

    private final NodeArena arena;
    private final MapLoader loader;
    private final Arena memory = Arena.ofAuto();
    private final Deque<NodeView> spare = new ArrayDeque<>();

    MapWalk(NodeArena arena, MapLoader loader) {
        this.arena = arena;
        this.loader = loader;
    }

    // ---- single pages ----

    /** A page's entry and its birth; no entry: a hole. */
    record Found(long ppn, int birth) {
        static final Found NOTHING = new Found(0, 0);
    }

    Found find(Version version, long lpn) {
        return find(version, lpn, 0);
    }

    /** The entry, in the node of a level, that a page lies under; of the level of the root and above: the root. */
    Found find(Version version, long lpn, int level) {
        long entry = PageMap.rootEntry(version);
        if (entry == 0 || lpn >= MapNodeDescriptor.LPN_LIMIT) {
            return Found.NOTHING;
        }
        final NodeView view = take();
        try {
            for (int at = PageMap.TOP; ; at--) {
                final long base = at == PageMap.TOP ? 0 : PageMap.endOf(lpn, at + 1) - (1L << NodeIdentity.shift(at + 1));
                show(view, version, at, base, entry);
                if (level > at) {
                    return new Found(entry, view.birth());
                }
                final int index = MapNodeDescriptor.index(lpn, at);
                entry = view.entry(index);
                if (at == level || entry == 0) {
                    return entry == 0 ? Found.NOTHING : new Found(entry, view.entryBirth(index));
                }
            }
        } finally {
            spare.push(view);
        }
    }

    // ---- what is own ----

    /** Shows what is own to a version: each block of the store is own to exactly one. */
    long own(Version version, long fromLpn, int blocksMax, Visitor visitor) {
        return new Held(version, List.of(), fromLpn, blocksMax, visitor).run();
    }

    /** Shows what is own to a version and inherited by none of its children: what its deletion frees. */
    long unique(Version version, long fromLpn, int blocksMax, Visitor visitor) {
        return new Held(version, List.copyOf(version.children()), fromLpn, blocksMax, visitor).run();
    }

    private final class Held {
        private final Version version;
        private final List<Version> children;
        private final long from;
        private final Visitor visitor;
        private int left;

        /** @param children whose inheritance is left out */
        Held(Version version, List<Version> children, long fromLpn, int blocksMax, Visitor visitor) {
            this.version = version;
            this.children = children;
            this.from = Math.max(fromLpn, version.dropCursor());
            this.left = blocksMax;
            this.visitor = visitor;
        }

        long run() {
            final long entry = PageMap.rootEntry(version);
            if (entry == 0 || from >= MapNodeDescriptor.LPN_LIMIT) {
                return END;
            }
            final NodeView root = show(take(), version, PageMap.TOP, 0, entry);
            final NodeView[] heirs = new NodeView[children.size()];
            try {
                for (int i = 0; i < heirs.length; i++) {
                    final long heirEntry = PageMap.rootEntry(children.get(i));
                    heirs[i] = heirEntry == 0 ? null : show(take(), children.get(i), PageMap.TOP, 0, heirEntry);
                    if (heirs[i] != null && heirs[i].birth() <= version.epoch()) {
                        return END;
                    }
                }
                if (root.birth() <= version.parentEpochMin()) {
                    return END;
                }
                final long stop = walk(root, heirs, PageMap.TOP, 0);
                if (stop == END && root.birth() > version.parentEpoch(MapNodeDescriptor.LPN_LIMIT)) {
                    visitor.node(PageMap.TOP, 0, entry);
                }
                return stop;
            } finally {
                giveBack(heirs);
                spare.push(root);
            }
        }

        private long walk(NodeView view, NodeView[] heirs, int level, long base) {
            for (int index = NodeView.firstIndex(from, base, level); index < FANOUT; index++) {
                final long entry = view.entry(index);
                final int birth = entry == 0 ? 0 : view.entryBirth(index);
                if (entry == 0 || birth <= version.parentEpochMin() || isInherited(heirs, index)) {
                    continue;
                }
                final long lpn = base + ((long) index << NodeIdentity.shift(level));
                final boolean isOwn = birth > version.parentEpoch(lpn + (1L << NodeIdentity.shift(level)));
                if (level > 0) {
                    // Only before a leaf, and not before the first one: each piece gets on.
                    final long stop = left <= 0 && level == 1 && lpn > from
                            ? lpn
                            : descend(entry, heirs, index, level - 1, lpn);
                    if (stop != END) {
                        return stop;
                    }
                }
                if (isOwn) {
                    left--;
                    if (level == 0) {
                        visitor.page(lpn, entry);
                    } else {
                        visitor.node(level - 1, lpn, entry);
                    }
                }
            }
            return END;
        }

        private long descend(long entry, NodeView[] heirs, int index, int level, long lpn) {
            final NodeView child = show(take(), version, level, lpn, entry);
            final NodeView[] below = new NodeView[heirs.length];
            try {
                for (int i = 0; i < below.length; i++) {
                    final long heirEntry = heirs[i] == null ? 0 : heirs[i].entry(index);
                    below[i] = heirEntry == 0 ? null : show(take(), children.get(i), level, lpn, heirEntry);
                }
                return walk(child, below, level, lpn);
            } finally {
                giveBack(below);
                spare.push(child);
            }
        }

        private boolean isInherited(NodeView[] heirs, int index) {
            for (NodeView heir : heirs) {
                if (heir != null && heir.entry(index) != 0 && heir.entryBirth(index) <= version.epoch()) {
                    return true;
                }
            }
            return false;
        }

        private void giveBack(NodeView[] views) {
            for (NodeView view : views) {
                if (view != null) {
                    spare.push(view);
                }
            }
        }
    }

    // ---- differences ----

    /**
     * Shows the pages in which two versions of a family differ.
     *
     * @param from the older one, or null for nothing but holes
     * @param pagesMax pages of a piece, about
     */
    long diff(Version from, Version to, long fromLpn, int pagesMax, PairVisitor visitor) {
        return new Diff(from, to, fromLpn, pagesMax, visitor).run();
    }

    /** Receives pages that differ; 0: a hole. */
    interface PairVisitor {
        void differs(long lpn, long oldPpn, long newPpn);
    }

    private final class Diff {
        private final Version before;
        private final Version after;
        private final long from;
        private final PairVisitor visitor;
        private int left;

        Diff(Version before, Version after, long from, int pagesMax, PairVisitor visitor) {
            this.before = before;
            this.after = after;
            this.from = from;
            this.left = pagesMax;
            this.visitor = visitor;
        }

        long run() {
            final long old = before == null ? 0 : PageMap.rootEntry(before);
            final long now = PageMap.rootEntry(after);
            return from >= MapNodeDescriptor.LPN_LIMIT ? END : descend(old, now, PageMap.TOP, 0);
        }

        private long descend(long oldEntry, long newEntry, int level, long base) {
            if (oldEntry == newEntry || canonical(oldEntry) == canonical(newEntry)) {
                return END;
            }
            final NodeView old = oldEntry == 0 ? null : show(take(), before, level, base, oldEntry);
            final NodeView now = newEntry == 0 ? null : show(take(), after, level, base, newEntry);
            try {
                return walk(old, now, level, base);
            } finally {
                giveBack(old);
                giveBack(now);
            }
        }

        private void giveBack(NodeView view) {
            if (view != null) {
                spare.push(view);
            }
        }

        private long walk(NodeView old, NodeView now, int level, long base) {
            for (int index = NodeView.firstIndex(from, base, level); index < FANOUT; index++) {
                final long oldEntry = old == null ? 0 : old.entry(index);
                final long newEntry = now == null ? 0 : now.entry(index);
                if (oldEntry == newEntry) {
                    continue;
                }
                final long lpn = base + ((long) index << NodeIdentity.shift(level));
                if (level == 0) {
                    left--;
                    visitor.differs(lpn, oldEntry, newEntry);
                    continue;
                }
                if (left <= 0 && level == 1 && lpn > from) {
                    return lpn;
                }
                final long stop = descend(oldEntry, newEntry, level - 1, lpn);
                if (stop != END) {
                    return stop;
                }
            }
            return END;
        }
    }

    /** The same for a node in memory and for its stored copy, as long as they are equal. */
    private long canonical(long entry) {
        if (!MapNodeDescriptor.isInMemory(entry)) {
            return entry;
        }
        final int node = MapNodeDescriptor.childNode(entry);
        return arena.isDirty(node) || arena.ppn(node) == 0 ? entry : arena.ppn(node);
    }

    // ---- views ----

    private NodeView take() {
        return spare.isEmpty() ? new NodeView(memory) : spare.pop();
    }

    private NodeView show(NodeView view, Version version, int level, long lpn, long entry) {
        return MapNodeDescriptor.isInMemory(entry)
                ? view.show(arena, MapNodeDescriptor.childNode(entry))
                : view.show(loader, version, level, lpn, entry);
    }
}
