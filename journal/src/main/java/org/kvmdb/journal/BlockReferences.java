package org.kvmdb.journal;

import java.util.List;

/** Which versions refer to a block at present. */
final class BlockReferences {

    private final Catalog catalog;
    private final MapWalk walk;
    private final SegmentTable segments;
    private final NodeArena arena;

    BlockReferences(JournalParts parts, MapWalk walk) {
        this.catalog = parts.catalog();
        this.walk = walk;
        this.segments = parts.segments();
        this.arena = parts.arena();
    }

    /** @param ppn where the block lies, or where the last stored copy of a node does */
    boolean has(Version version, BlockOwner owner, long lpn, long ppn) {
        final long entry = walk.find(version, lpn, owner.level() + 1).ppn();
        return entry != 0
                && segments.resolve(owner.role() == BlockOwner.Role.PAGE ? entry : arena.storedAt(entry)) == ppn;
    }

    /** All of the family, in order of their ids. */
    List<Version> ofFamily(long familyId, BlockOwner owner, long lpn, long ppn) {
        return catalog.versions().stream()
                .filter(version -> version.familyId() == familyId && has(version, owner, lpn, ppn))
                .toList();
    }
}
