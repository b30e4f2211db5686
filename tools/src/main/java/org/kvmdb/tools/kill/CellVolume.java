package org.kvmdb.tools.kill;

import java.util.List;
import java.util.stream.Stream;
import org.kvmdb.VolumeOptions;

/**
 * The volumes that several threads write. Each is an array of cells; a cell belongs to the thread that its number is
 * congruent to, so that threads have pages of their own where a cell is a page, and share pages where it is less. The
 * first cell of a thread is its ledger: every step that touches the volume writes it.
 */
enum CellVolume {
    /** A cell is a page. */
    WIDE("wide", 1, 0, 4096, 4096, 1200),
    /** Eight cells of three threads in a page, which is filled and compressed as one. */
    SHARED("shared", 2, 0, 16384, 2048, 768),
    /** Committed alone. */
    ALONE("alone", 3, 1, 8192, 4096, 320);

    /** Volumes of a group are changed and committed together. */
    static final int GROUPS = 2;

    static final int THREADS = 3;

    private final String label;
    private final int id;
    private final int group;
    private final int pageSizeBytes;
    private final int cellBytes;
    private final int cells;

    CellVolume(String label, int id, int group, int pageSizeBytes, int cellBytes, int cells) {
        this.label = label;
        this.id = id;
        this.group = group;
        this.pageSizeBytes = pageSizeBytes;
        this.cellBytes = cellBytes;
        this.cells = cells;
    }

    String label() {
        return label;
    }

    int id() {
        return id;
    }

    int group() {
        return group;
    }

    int cellBytes() {
        return cellBytes;
    }

    int cells() {
        return cells;
    }

    VolumeOptions options() {
        return VolumeOptions.ofSizeBytes((long) cells * cellBytes).withPageSizeBytes(pageSizeBytes);
    }

    static List<CellVolume> ofGroup(int group) {
        return Stream.of(values()).filter(volume -> volume.group == group).toList();
    }
}
