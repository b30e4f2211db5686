package org.kvmdb.journal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.kvmdb.ffi.MapNodeDescriptor;

/**
 * Which version a block belongs to. What one version holds and a later one of the same branch does not is born before what the
 * later one holds in its place; so the holder is found by halving, from the birth that the block carries.
 *
 * <p>It may miss the holder of a block that carries an earlier birth than its entry has: one that was stolen before a snapshot and
 * committed behind it. That does no harm, for what decides whether a segment is free is the count of its live bytes. Under the append
 * lock.
 */
final class Holders {

    /** Branches that are not longer are looked through one by one. */
    private static final int SHORT_BRANCH = 16;

    private final Catalog catalog;
    private final PageMap map;
    private final NodeArena arena;
    private final MapWalk walk;
    /** By family: each head or other youngest version, then what it came from. */
    private final Map<Long, List<List<Version>>> branches = new HashMap<>();

    /** A version that holds a block, and whether the next checkpoint replaces it anyway. */
    record Holder(Version version, boolean isChanging) {}

    Holders(Catalog catalog, PageMap map, NodeArena arena, MapWalk walk) {
        this.catalog = catalog;
        this.map = map;
        this.arena = arena;
        this.walk = walk;
    }

    /** Looks at the tree of versions anew. */
    void refresh() {
        branches.clear();
        for (Version version : catalog.versions()) {
            if (version.children().isEmpty()) {
                final List<Version> branch = new ArrayList<>();
                for (Version at = version; at != null; at = at.parent()) {
                    branch.add(at);
                }
                branches.computeIfAbsent(version.familyId(), family -> new ArrayList<>()).add(branch);
            }
        }
    }

    /** The volume that alone holds a page's block of that name, or null. */
    VolumeEntry headAlone(int volumeId, long lpn, long name) {
        final VolumeEntry volume = catalog.find(volumeId);
        return volume != null && lpn < volume.pageCount() && map.isOwn(volume, lpn, name) ? volume : null;
    }

    /** A version of which that is a page's block, or null. */
    Holder page(int volumeId, long lpn, long name, int birth) {
        final Version origin = catalog.findVersion(volumeId);
        return find(origin == null ? null : origin.familyId(), lpn, 0, name, birth);
    }

    /** A version of whose map that is a node, or null. */
    Holder node(long family, int level, long lpn, long name, int birth) {
        return find(family, lpn, level + 1, name, birth);
    }

    /** Has the next checkpoint write a node anew, if a head alone holds it. */
    boolean rewriteNode(long family, int level, long lpn, long name) {
        for (List<Version> branch : branches.getOrDefault(family, List.of())) {
            if (branch.getFirst() instanceof VolumeEntry volume
                    && !volume.isDeleted()
                    && map.rewriteNode(volume, level, lpn, name)) {
                return true;
            }
        }
        return false;
    }

    private Holder find(Long family, long lpn, int level, long name, int birth) {
        final List<List<Version>> searched = new ArrayList<>();
        if (family != null) {
            searched.addAll(branches.getOrDefault(family, List.of()));
        } else {
            branches.values().forEach(searched::addAll);
        }
        for (List<Version> branch : searched) {
            final Holder holder = find(branch, lpn, level, name, birth);
            if (holder != null) {
                return holder;
            }
        }
        return null;
    }

    private Holder find(List<Version> branch, long lpn, int level, long name, int birth) {
        int young = 0;
        int old = branch.size() - 1;
        while (old - young >= SHORT_BRANCH) {
            final int middle = young + old >>> 1;
            final Version version = branch.get(middle);
            final MapWalk.Found found = isPassed(version, lpn) ? MapWalk.Found.NOTHING : walk.find(version, lpn, level);
            if (isNamed(found.ppn(), name)) {
                return holder(version, found.ppn());
            }
            if (found.ppn() != 0 && found.birth() > birth) {
                young = middle + 1;
            } else {
                old = middle - 1;
            }
        }
        for (int i = young; i <= old; i++) {
            final Version version = branch.get(i);
            if (!isPassed(version, lpn)) {
                final MapWalk.Found found = walk.find(version, lpn, level);
                if (isNamed(found.ppn(), name)) {
                    return holder(version, found.ppn());
                }
            }
        }
        return null;
    }

    /** What a deletion has passed may name what is not there any more. */
    private static boolean isPassed(Version version, long lpn) {
        return lpn < version.dropCursor();
    }

    private boolean isNamed(long entry, long name) {
        return entry == name
                || entry != 0
                        && MapNodeDescriptor.isInMemory(entry)
                        && arena.ppn(MapNodeDescriptor.childNode(entry)) == name;
    }

    private Holder holder(Version version, long entry) {
        return new Holder(
                version,
                MapNodeDescriptor.isInMemory(entry) && arena.isDirty(MapNodeDescriptor.childNode(entry)));
    }
}
