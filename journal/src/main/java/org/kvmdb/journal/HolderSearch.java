package org.kvmdb.journal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.kvmdb.ffi.MapNodeDescriptor;

/**
 * Finds the version that a block is own to: the topmost of those that hold it. For one piece of work under the append lock, since
 * it remembers what the tree of versions looks like.
 *
 * <p>A version that holds a block which was born at an epoch or later is beneath one that is not older than that epoch and whose
 * parent is: only those few are asked. The versions of a chain of snapshots have one of them, however many they are.
 */
final class HolderSearch {

    private record Born(long family, int birth) {}

    private final Catalog catalog;
    private final MapWalk walk;
    private final NodeArena arena;
    private final Map<Long, List<Version>> families = new HashMap<>();
    private final Map<Born, List<Version>> eldest = new HashMap<>();

    HolderSearch(Catalog catalog, MapWalk walk, NodeArena arena) {
        this.catalog = catalog;
        this.walk = walk;
        this.arena = arena;
    }

    /**
     * The version that a page's block is own to, or null when nobody holds it.
     *
     * @param birthMin what the block's header says: no version older than that holds it
     * @param isStolen whether the block was written before its commit: then snapshots may have been taken in between
     */
    Version ofPage(long family, long lpn, long ppn, int birthMin, boolean isStolen) {
        for (Version version : isStolen ? family(family) : eldest(family, birthMin)) {
            final MapWalk.Found found = lpn < version.dropCursor() ? MapWalk.Found.NOTHING : walk.find(version, lpn);
            if (found.ppn() == ppn) {
                return topmost(version, lpn + 1, found.birth());
            }
        }
        return null;
    }

    /** As {@link #ofPage}, of a stored map node; null also when its version is about to store it anew. */
    Version ofNode(long family, int level, long lpn, long ppn, int birth) {
        final long endLpn = lpn + (1L << NodeIdentity.shift(level + 1));
        for (Version version : eldest(family, birth)) {
            final long entry = endLpn <= version.dropCursor() ? 0 : walk.find(version, lpn, level + 1).ppn();
            final boolean isIt = MapNodeDescriptor.isInMemory(entry)
                    ? isStoredAt(MapNodeDescriptor.childNode(entry), ppn)
                    : entry == ppn;
            if (isIt) {
                return topmost(version, endLpn, birth);
            }
        }
        return null;
    }

    private boolean isStoredAt(int node, long ppn) {
        return !arena.isDirty(node) && arena.ppn(node) == ppn;
    }

    /** Upwards while the parent holds it, too. */
    private static Version topmost(Version holder, long endLpn, int birth) {
        Version top = holder;
        for (SnapshotEntry above = top.parentSnapshot(); above != null; above = above.parentSnapshot()) {
            if (endLpn <= above.dropCursor()) {
                continue; // it holds nothing there any more
            }
            if (birth > above.epoch()) {
                break;
            }
            top = above;
        }
        return top;
    }

    private List<Version> family(long family) {
        return families.computeIfAbsent(family, key -> catalog.versions().stream()
                .filter(version -> version.familyId() == key)
                .toList());
    }

    private List<Version> eldest(long family, int birth) {
        return eldest.computeIfAbsent(new Born(family, birth), key -> {
            final List<Version> result = new ArrayList<>();
            for (Version version : family(family)) {
                final SnapshotEntry above = version.parentSnapshot();
                // A parent that is being deleted may hold nothing where its child does.
                final boolean isEldest = above == null || above.epoch() < birth || above.dropCursor() > 0;
                if (version.epoch() >= birth && isEldest) {
                    result.add(version);
                }
            }
            return result;
        });
    }
}
