package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;

/**
 * Takes, clones and deletes snapshots, and reads the maps of versions. Part of a {@link Journal}; thread-safe. Changes
 * of the catalog are durable when the call returns.
 */
public final class Versions {

    private static final int SPACE_PIECE_BLOCKS = 1 << 14;

    private final Journal journal;
    private final Catalog catalog;
    private final PageMap map;
    private final NodeArena arena;
    private final MapWalk walk;
    private final CatalogWriter writer;
    private final VersionDropper dropper;

    Versions(Journal journal, JournalParts parts, MapWalk walk, CatalogWriter writer) {
        this.journal = journal;
        this.catalog = parts.catalog();
        this.map = parts.map();
        this.arena = parts.arena();
        this.walk = walk;
        this.writer = writer;
        this.dropper = new VersionDropper(catalog, map, walk, parts.segments(), parts.counters());
    }

    // ---- snapshots ----

    /** All snapshots, in order of their ids. */
    public List<SnapshotEntry> snapshots() {
        return catalog.snapshots();
    }

    /** The snapshots of a volume, in order of their ids. */
    public List<SnapshotEntry> snapshots(int volumeId) {
        return catalog.snapshotsOf(catalog.volume(volumeId));
    }

    public SnapshotEntry snapshot(String volumeName, String snapshotName) {
        return catalog.snapshot(volumeName, snapshotName);
    }

    public SnapshotEntry snapshot(int id) {
        return catalog.snapshot(id);
    }

    /** Volumes, snapshots, and what is deleted and holds space yet, in order of their ids. */
    public List<Version> all() {
        return journal.look(catalog::versions);
    }

    /** Takes snapshots of what the last commit left of volumes, of all of them or of none. */
    public List<SnapshotEntry> createSnapshots(Collection<Integer> volumeIds, String name) {
        return journal.change(
                () -> writer.createSnapshots(volumeIds.stream().distinct().map(catalog::volume).toList(), name));
    }

    /** Makes a volume that begins with what a snapshot holds. */
    public VolumeEntry cloneSnapshot(int snapshotId, String volumeName) {
        return journal.change(() -> writer.cloneSnapshot(catalog.snapshot(snapshotId), volumeName));
    }

    /**
     * Lets a volume begin anew with what one of its snapshots holds, its size, too. Later snapshots stay. The listener of roots
     * is told when the volume's map is in memory.
     */
    public void rollbackTo(int volumeId, int snapshotId) {
        journal.change(() -> {
            final VolumeEntry volume = catalog.volume(volumeId);
            writer.rollback(volume, catalog.snapshot(snapshotId));
            return null;
        });
    }

    /** Deletes a snapshot that is neither cloned nor mapped; {@link #dropStep} gives its space back. */
    public void deleteSnapshot(int snapshotId) {
        deleteSnapshots(List.of(snapshotId));
    }

    /** As {@link #deleteSnapshot}, of several: all of them or none. */
    public void deleteSnapshots(Collection<Integer> snapshotIds) {
        change(() -> writer.deleteSnapshots(snapshotIds.stream().distinct().map(catalog::snapshot).toList()));
    }

    /** Sets what the blocks that a volume refers to may come to; 0: no limit. */
    public void quota(int volumeId, long quotaBytes) {
        change(() -> writer.quota(catalog.volume(volumeId), quotaBytes));
    }

    /**
     * Makes what a hidden volume holds seen, in one step: as a snapshot of the target, which goes on from it while the hidden
     * volume is deleted; without a target the hidden volume gets a name, and the snapshot is its.
     *
     * @param targetVolumeId or null
     * @param lsn that the pages stand at, for what the hidden volume's own meant may have been something else
     */
    public SnapshotEntry publish(
            int hiddenVolumeId, Integer targetVolumeId, String volumeName, String snapshotName, long guid,
            long createdMillis, long lsn) {
        return journal.change(() -> writer.publish(
                catalog.volume(hiddenVolumeId), targetVolumeId == null ? null : catalog.volume(targetVolumeId),
                volumeName, snapshotName, guid, createdMillis, lsn));
    }

    private void change(Runnable action) {
        journal.change(() -> {
            action.run();
            return null;
        });
    }

    // ---- deletion ----

    /** Frees about that many blocks of deleted versions; true while there is more to free. */
    public boolean dropStep(int blocksMax) {
        return journal.look(dropper::hasWork) && journal.change(() -> dropper.step(blocksMax));
    }

    public DropProgress dropProgress() {
        return journal.look(dropper::progress);
    }

    // ---- maps in memory ----

    /** Brings the whole map of a version into memory, for the fault handler, and keeps it there until {@link #closeMap}. */
    public void openMap(Version version) {
        journal.look(() -> {
            map.load(version);
            version.addMapUsers(1);
            return null;
        });
    }

    /** Keeps a version from being deleted, until {@link #closeMap}, without bringing its map into memory. */
    public void hold(Version version) {
        journal.look(() -> {
            if (version.isDeleted()) {
                throw new StorageException(ErrorCode.NO_SUCH_SNAPSHOT, "%s was deleted".formatted(version.name()));
            }
            version.addMapUsers(1);
            return null;
        });
    }

    public void closeMap(Version version) {
        journal.look(() -> {
            version.addMapUsers(-1);
            map.unloadIfIdle(version);
            return null;
        });
    }

    // ---- looking ----

    /** PPN of a page of a version; 0 for a hole. */
    public long lookup(Version version, long lpn) {
        return journal.look(() -> walk.find(version, lpn).ppn());
    }

    /** Reads a page of a version, verified; zeros for a hole. Throws CORRUPT_PAGE when it cannot be had. */
    public void readPage(Version version, long lpn, MemorySegment page) {
        journal.look(() -> {
            final long ppn = walk.find(version, lpn).ppn();
            if (ppn == 0) {
                page.asSlice(0, 1L << version.pageShift()).fill((byte) 0);
                return null;
            }
            final String wrong = journal.readBlock(version, lpn, ppn, page);
            if (wrong != null) {
                throw StorageException.corruptPage(version.name(), lpn, ppn, wrong);
            }
            return null;
        });
    }

    /**
     * Shows pages in which two versions of a family differ, in order of their LPN: a piece of about that many.
     *
     * @param from the older one, or null for nothing but holes
     * @return LPN to go on at, or -1
     */
    public long diff(Version from, Version to, long fromLpn, int pagesMax, DiffVisitor visitor) {
        return journal.look(() -> diffPiece(from, to, fromLpn, pagesMax, visitor));
    }

    long diffPiece(Version from, Version to, long fromLpn, int pagesMax, DiffVisitor visitor) {
        return walk.diff(from, to, fromLpn, pagesMax, (lpn, old, now) -> visitor.changed(lpn, now));
    }

    /** What a version takes. Exact when nothing of its family is written or deleted meanwhile. */
    public VersionSpace space(Version version) {
        final long[] unique = new long[2];
        final MapWalk.Visitor sum = new MapWalk.Visitor() {
            @Override
            public void page(long lpn, long ppn) {
                unique[0] += Ppn.lengthBytes(ppn);
            }

            @Override
            public void node(int level, long lpn, long entry) {
                unique[1] += Ppn.lengthBytes(arena.storedAt(entry));
            }
        };
        long lpn = 0;
        while (lpn != MapWalk.END) {
            final long from = lpn;
            final Supplier<Long> piece = () -> walk.unique(version, from, SPACE_PIECE_BLOCKS, sum);
            lpn = journal.look(piece);
        }
        return new VersionSpace(
                version.sizeBytes(), version.referencedPages(), version.referencedBytes(), unique[0], unique[1]);
    }
}
