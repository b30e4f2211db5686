package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.MapNodeDescriptor;

/**
 * The stored form of a map node: 512 entries, followed by their births unless all entries were born with the node. The
 * short form decodes to {@code 1 << SHORT_SHIFT} bytes, the long one to {@code 1 << LONG_SHIFT} bytes with zeros at the
 * end.
 */
final class StoredNode {

    static final int SHORT_SHIFT = 12;
    static final int LONG_SHIFT = 13;
    static final int BIRTHS_OFFSET = MapNodeDescriptor.NODE_LENGTH;

    private StoredNode() {}

    /** Writes a node as it is stored, children by their PPN; returns the page shift of its form. */
    static int toImage(NodeArena arena, int node, int level, MemorySegment image) {
        if (level == 0 && !arena.isMixed(node)) {
            MemorySegment.copy(arena.memory(node), 0, image, 0, MapNodeDescriptor.NODE_LENGTH);
            return SHORT_SHIFT; // nearly all nodes: as they lie in memory
        }
        final int birth = arena.birth(node);
        boolean isShort = true;
        for (int index = 0; index < MapNodeDescriptor.FANOUT; index++) {
            final long entry = arena.entry(node, index);
            final long stored = level > 0 ? arena.storedAt(entry) : entry;
            final int entryBirth = entry == 0 ? 0 : arena.entryBirth(node, index);
            isShort &= entry == 0 || entryBirth == birth;
            Fields.putLong(image, (long) index * MapNodeDescriptor.ENTRY_LENGTH, stored);
            Fields.putInt(image, BIRTHS_OFFSET + (long) index * Integer.BYTES, entryBirth);
        }
        image.asSlice(BIRTHS_OFFSET + NodeArena.BIRTHS_LENGTH).fill((byte) 0);
        return isShort ? SHORT_SHIFT : LONG_SHIFT;
    }

    /** The form of a block that claims to be a node, or 0. */
    static int pageShift(MemorySegment block) {
        final int shift = block.byteSize() < BlockDescriptor.HEADER_LENGTH
                ? 0
                : Fields.byteAt(block, BlockDescriptor.PAGE_SHIFT_OFFSET);
        return shift == SHORT_SHIFT || shift == LONG_SHIFT ? shift : 0;
    }

    /** Birth of the node whose block it is. */
    static int birth(MemorySegment block) {
        return Fields.intAt(block, BlockDescriptor.BIRTH_EPOCH_OFFSET);
    }

    static int entryBirth(MemorySegment image, int index) {
        return Fields.intAt(image, BIRTHS_OFFSET + (long) index * Integer.BYTES);
    }

    static long entry(MemorySegment image, int index) {
        return image.getAtIndex(ValueLayout.JAVA_LONG, index);
    }
}
