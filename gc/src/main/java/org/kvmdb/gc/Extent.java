package org.kvmdb.gc;

import java.util.Comparator;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.journal.BlockOwner;

/** A block and its owner. */
record Extent(BlockOwner owner, long lpn, long ppn, int crc) {

    /** By place; a reference of the log's records comes behind that of a page, a node or metadata to the same block. */
    static final Comparator<Extent> BY_PLACE = (a, b) -> {
        final int byPlace = Long.compareUnsigned(a.ppn, b.ppn);
        return byPlace != 0 ? byPlace : Boolean.compare(a.isOfLog(), b.isOfLog());
    };

    boolean isOfLog() {
        return owner.role() == BlockOwner.Role.LOG;
    }

    /** Nodes and metadata were verified when they were loaded. */
    boolean isToBeRead() {
        return owner.role() == BlockOwner.Role.PAGE || isOfLog();
    }

    /** Pages that hang on it: one, or all beneath a map node. */
    long pages() {
        return owner.role() == BlockOwner.Role.MAP_NODE ? 1L << MapNodeDescriptor.FANOUT_BITS * (owner.level() + 1) : 1;
    }

    int lengthBytes() {
        return Ppn.lengthBytes(ppn);
    }

    /** Whether it begins before the other, which does not lie behind it in order, ends. */
    boolean overlaps(Extent before) {
        return Ppn.segment(ppn) == Ppn.segment(before.ppn)
                && Ppn.offsetBytes(ppn) < Ppn.offsetBytes(before.ppn) + before.lengthBytes();
    }

    @Override
    public String toString() {
        return switch (owner.role()) {
            case PAGE -> "page %d of volume %s".formatted(lpn, owner.volume());
            case MAP_NODE -> "map node of volume %s, level %d, LPN %d".formatted(owner.volume(), owner.level(), lpn);
            case METADATA -> "metadata block " + lpn;
            case LOG -> "block in the log, LPN " + lpn;
        };
    }
}
