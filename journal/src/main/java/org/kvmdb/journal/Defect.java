package org.kvmdb.journal;

import java.util.List;
import org.kvmdb.ffi.Ppn;

/**
 * A defect on the medium.
 *
 * @param kind kind of the defective structure
 * @param position position on the device, in bytes; -1 when there is no single place
 * @param volume name of the volume concerned, or null
 * @param lpn the page, or the first page that a map node covers; -1 when none
 * @param ppn the block; 0 when none
 * @param fact what is wrong
 * @param holders all volumes and snapshots that a page or a map node is lost to; empty when it is neither
 */
public record Defect(
        Kind kind, long position, String volume, long lpn, long ppn, String fact, List<String> holders) {

    public Defect(Kind kind, long position, String volume, long lpn, long ppn, String fact) {
        this(kind, position, volume, lpn, ppn, fact, List.of());
    }

    public Defect withHolders(List<String> names) {
        return new Defect(kind, position, volume, lpn, ppn, fact, List.copyOf(names));
    }

    /** What is damaged. */
    public enum Kind {
        /** A copy of the superblock. */
        SUPERBLOCK,
        /** The catalog or the segment table: without it nothing else can be found. */
        METADATA,
        /** The log since the checkpoint: its chain, a header, records, zeros behind them. */
        LOG,
        /** A block of a batch since the checkpoint that no page needs. */
        LOG_BLOCK,
        /** A node of a volume's map: the pages beneath it are lost. */
        MAP_NODE,
        /** An entry of the map that leads where no block can be. */
        MAP_ENTRY,
        /** A page's block. */
        PAGE,
        /** Two blocks in one place. */
        OVERLAP,
        /** The catalog tells wrongly what a version refers to. */
        REFERENCED,
        /** The segment table counts live bytes that are not there, or misses some. */
        LIVE_BYTES
    }

    @Override
    public String toString() {
        final StringBuilder text = new StringBuilder(kind.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' '));
        if (volume != null) {
            text.append(" volume=").append(volume);
        }
        if (lpn >= 0) {
            text.append(" lpn=").append(lpn);
        }
        if (ppn != 0) {
            text.append(" ppn=").append(Ppn.toString(ppn));
        }
        if (position >= 0) {
            text.append(" position=").append(position);
        }
        return text.append(": ").append(fact).toString();
    }
}
