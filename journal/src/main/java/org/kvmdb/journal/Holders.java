package org.kvmdb.journal;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Finds the holders of the blocks that a segment's records name. For one piece of work under the append lock.
 *
 * <p>In a large family, it may miss the holder of a block that was stolen before a snapshot and committed after it.
 * This is harmless: a segment is free only when its count of live bytes says so.
 */
final class Holders {

    /** Families up to this size are looked through for blocks that are younger than they say. */
    private static final int SMALL_FAMILY = 64;

    private final Catalog catalog;
    private final PageMap map;
    private final HolderSearch search;
    private Map<Long, Integer> families;

    Holders(Catalog catalog, PageMap map, NodeArena arena, MapWalk walk) {
        this.catalog = catalog;
        this.map = map;
        search = new HolderSearch(catalog, walk, arena);
    }

    /** The volume that alone holds a page's block of that name, or null. */
    VolumeEntry headAlone(int volumeId, long lpn, long name) {
        final VolumeEntry volume = catalog.find(volumeId);
        return volume != null && lpn < volume.pageCount() && map.isOwn(volume, lpn, name) ? volume : null;
    }

    /** A version of which that is a page's block, or null. The volume that wrote it may be gone. */
    Version page(int volumeId, long lpn, long name, int birth) {
        final Version origin = catalog.findVersion(volumeId);
        final Collection<Long> searched = origin == null ? families().keySet() : List.of(origin.familyId());
        for (long family : searched) {
            Version holder = search.ofPage(family, lpn, name, birth, false);
            if (holder == null && families().get(family) <= SMALL_FAMILY) {
                holder = search.ofPage(family, lpn, name, birth, true);
            }
            if (holder != null) {
                return holder;
            }
        }
        return null;
    }

    /** Families, and how many versions each has. */
    private Map<Long, Integer> families() {
        if (families == null) {
            families = new TreeMap<>();
            catalog.versions().forEach(version -> families.merge(version.familyId(), 1, Integer::sum));
        }
        return families;
    }

    /** A version of whose map that is a node that no checkpoint is about to write anew, or null. */
    Version node(long family, int level, long lpn, long name, int birth) {
        return search.ofNode(family, level, lpn, name, birth);
    }

    /** Has the next checkpoint write a node anew, if a head alone holds it. */
    boolean rewriteNode(long family, int level, long lpn, long name) {
        for (VolumeEntry volume : catalog.volumes()) {
            if (volume.familyId() == family && map.rewriteNode(volume, level, lpn, name)) {
                return true;
            }
        }
        return false;
    }
}
