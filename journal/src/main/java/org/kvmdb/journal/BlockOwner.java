package org.kvmdb.journal;

import org.kvmdb.ffi.BlockDescriptor;

/**
 * The owner of blocks, and the part of their seal that does not depend on their place.
 *
 * @param role kind of owner
 * @param volume name of the volume or of the snapshot, or null
 * @param level level of map nodes, 0 for leaves; -1 for other blocks
 * @param type type that the headers of the blocks must have
 * @param family family that the blocks are sealed with
 * @param pageShift decoded size of a block, as a shift; 0 when only the block itself knows it
 */
public record BlockOwner(Role role, String volume, int level, byte type, long family, int pageShift) {

    /** Whose blocks they are. */
    public enum Role {
        PAGE,
        MAP_NODE,
        METADATA,
        /** Something that a batch since the checkpoint holds; it may be one of the others besides. */
        LOG
    }

    /** The pages of a version. */
    static BlockOwner pages(Version version) {
        return new BlockOwner(
                Role.PAGE, nameOf(version), -1, BlockDescriptor.TYPE_PAGE, version.familyId(), version.pageShift());
    }

    /** The map nodes of a level of a version. */
    static BlockOwner nodes(Version version, int level) {
        return new BlockOwner(
                Role.MAP_NODE, nameOf(version), level, BlockDescriptor.TYPE_MAP_NODE,
                NodeIdentity.family(version.familyId(), level), 0);
    }

    /** As it is shown. */
    static String nameOf(Version version) {
        return version.isDeleted() ? version.name() + " (deleted)" : version.name();
    }
}
