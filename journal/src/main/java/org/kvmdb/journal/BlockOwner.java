package org.kvmdb.journal;

/**
 * What blocks belong to, and what they are sealed with but for their place.
 *
 * @param role whose blocks they are
 * @param volume name of the volume, or null
 * @param level of map nodes: 0 for leaves; otherwise -1
 * @param type type that the blocks' headers must have
 * @param family what they are sealed with
 * @param pageShift size of what they decode to, as a shift; 0 when the block alone says it
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
}
