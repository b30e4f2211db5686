package org.kvmdb.journal;

import org.kvmdb.ffi.MapNodeDescriptor;

/**
 * The identity that a map node is sealed with: the first LPN that it covers, and the family with the level in its top
 * byte.
 */
final class NodeIdentity {

    private static final int LEVEL_SHIFT = 56;
    private static final int PACKED_LEVEL_SHIFT = MapNodeDescriptor.FANOUT_BITS * (MapNodeDescriptor.HEIGHT - 1);

    private NodeIdentity() {}

    static long family(long volumeFamily, int level) {
        return volumeFamily | (long) (level + 1) << LEVEL_SHIFT;
    }

    /** A volume's family leaves the top byte to the levels, and fits a record. */
    static boolean isVolumeFamily(long family) {
        return family >>> Integer.SIZE == 0;
    }

    /** What a record keeps of the family of a node or of metadata: its top byte, beside the low four. */
    static int topByte(long family) {
        return (int) (family >>> LEVEL_SHIFT);
    }

    /** The level of the node that a record with that top byte tells of; -1 when it is no node. */
    static int level(int topByte) {
        return topByte <= MapNodeDescriptor.HEIGHT ? topByte - 1 : -1;
    }

    static long family(int topByte, int lowBytes) {
        return (long) topByte << LEVEL_SHIFT | Integer.toUnsignedLong(lowBytes);
    }

    /** Family, level and first LPN of a node in one word. */
    static long packed(long volumeFamily, int level, long lpn) {
        return volumeFamily << Integer.SIZE | (long) level << PACKED_LEVEL_SHIFT | lpn >>> shift(level + 1);
    }

    /** How many pages an entry of a node of that level covers, as a shift. */
    static int shift(int level) {
        return MapNodeDescriptor.FANOUT_BITS * level;
    }
}
