package org.kvmdb.journal;

import java.util.ArrayList;
import java.util.List;

/**
 * One content of a volume, with its own map: either the head, which is written, or a snapshot. Versions form a tree.
 * The parent of a head is its newest snapshot, or the snapshot that it was cloned from or rolled back to. The parent of
 * a snapshot is the one before it.
 *
 * <p><b>Births.</b> The epoch of the store rises with each snapshot, and each entry of a map has a birth epoch. An
 * entry of version V whose birth is not above the epoch of V's parent is <em>inherited</em>: the parent holds the same
 * block or node. Otherwise it is V's <em>own</em>. So the versions that hold a block are connected in the tree, and the
 * block is own to the topmost of them.
 *
 * <p><b>Deletion.</b> A deleted version remains part of the tree until its own blocks are freed, from its first page to
 * its last. Below its cursor, its child inherits from its grandparent. A deleted version with several children stays,
 * and keeps its blocks, until it has at most one.
 *
 * <p>Changed by the journal, under the append lock; any thread reads the public methods.
 */
public abstract sealed class Version permits VolumeEntry, SnapshotEntry {

    private final int id;
    private final int pageShift;
    private final long familyId;
    private volatile long sizeBytes;
    private volatile long lsn;
    private volatile int mapRoot;
    private volatile boolean deleted;
    private volatile long referencedPages;
    private volatile long referencedBytes;
    private long storedRoot;
    private int mapUsers;
    private long dropCursor;
    private SnapshotEntry parent;
    private final List<Version> children = new ArrayList<>(1);

    Version(int id, long sizeBytes, int pageShift, long familyId, long lsn) {
        this.id = id;
        this.sizeBytes = sizeBytes;
        this.pageShift = pageShift;
        this.familyId = familyId;
        this.lsn = lsn;
    }

    /** Volumes and snapshots share one row of ids; none is used again. */
    public int id() {
        return id;
    }

    /** Of a snapshot: {@code volume@snapshot}. */
    public abstract String name();

    /** The epoch that a snapshot was taken in; of a head, beyond all epochs. */
    abstract int epoch();

    public long sizeBytes() {
        return sizeBytes;
    }

    public int pageShift() {
        return pageShift;
    }

    /** What its blocks are sealed with; clones share it. */
    public long familyId() {
        return familyId;
    }

    /** The LSN that the last commit carried, also after recovery; 0 when none did. */
    public long lsn() {
        return lsn;
    }

    /** Index of the root node of its map, or 0 while that is not in memory: see {@link Versions#openMap}. */
    public int mapRoot() {
        return mapRoot;
    }

    public boolean isDeleted() {
        return deleted;
    }

    /** What it was taken from, or null. */
    public Version parent() {
        return parent;
    }

    /** Pages that are not holes. */
    public long referencedPages() {
        return referencedPages;
    }

    /** Bytes of the blocks of its pages, inherited ones counted. */
    public long referencedBytes() {
        return referencedBytes;
    }

    /** One past the largest LPN. */
    public long pageCount() {
        return pageCount(sizeBytes, pageShift);
    }

    static long pageCount(long sizeBytes, int pageShift) {
        return (sizeBytes >>> pageShift) + ((sizeBytes & (1L << pageShift) - 1) == 0 ? 0 : 1);
    }

    // ---- births ----

    /** Epoch above which a birth makes own what lies before that LPN, and after the cursor of a parent that is being deleted. */
    final int parentEpoch(long endLpn) {
        SnapshotEntry above = parent;
        while (above != null && endLpn <= above.dropCursor()) {
            above = ((Version) above).parent;
        }
        return above == null ? 0 : above.epoch();
    }

    /** The least that {@link #parentEpoch} can be: what was born up to it is inherited wherever it lies. */
    final int parentEpochMin() {
        return parentEpoch(1);
    }

    /** Birth of what is written into it now. */
    final int ownBirth() {
        return parent == null ? 1 : parent.epoch() + 1;
    }

    // ---- changes ----

    final void sizeBytes(long value) {
        sizeBytes = value;
    }

    final void lsn(long value) {
        lsn = value;
    }

    final void mapRoot(int node) {
        mapRoot = node;
    }

    /** PPN of the stored root of a map that is not in memory; 0: only holes. */
    final long storedRoot() {
        return storedRoot;
    }

    final void storedRoot(long ppn) {
        storedRoot = ppn;
    }

    final int mapUsers() {
        return mapUsers;
    }

    final void addMapUsers(int count) {
        mapUsers += count;
    }

    final void addReferenced(long pages, long bytes) {
        if (referencedPages + pages < 0 || referencedBytes + bytes < 0) {
            throw Corrupt.store("%s refers to %d pages in %d bytes, yet it loses %d in %d"
                    .formatted(name(), referencedPages, referencedBytes, -pages, -bytes));
        }
        referencedPages += pages;
        referencedBytes += bytes;
    }

    final void referenced(long pages, long bytes) {
        referencedPages = pages;
        referencedBytes = bytes;
    }

    final void markDeleted() {
        deleted = true;
    }

    /** Of a deleted version: pages before it are no longer held. */
    final long dropCursor() {
        return dropCursor;
    }

    final void dropCursor(long lpn) {
        dropCursor = lpn;
    }

    final List<Version> children() {
        return children;
    }

    final SnapshotEntry parentSnapshot() {
        return parent;
    }

    /** Makes it a child of that version; null: of none. */
    final void parent(SnapshotEntry newParent) {
        if (parent != null) {
            ((Version) parent).children.remove(this);
        }
        parent = newParent;
        if (newParent != null) {
            ((Version) newParent).children.add(this);
        }
    }
}
