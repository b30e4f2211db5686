package org.kvmdb.journal;

import java.util.HashSet;
import java.util.Set;
import org.agrona.collections.LongArrayList;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;

/**
 * Deletes versions in pieces, one version at a time, from its first page to its last. It frees the own blocks that no
 * child inherits. The next checkpoint stores its position together with the resulting live bytes; after a crash, later
 * work is repeated. Under the append lock.
 */
final class VersionDropper {

    private final Catalog catalog;
    private final PageMap map;
    private final MapWalk walk;
    private final SegmentTable segments;
    private final Counters counters;
    /** Those that a bad map node keeps from being dropped: left alone until the store is opened again. */
    private final Set<Version> stuck = new HashSet<>();

    private final LongArrayList pages = new LongArrayList();
    private final LongArrayList nodes = new LongArrayList();
    private Version current;
    private boolean hasChosen;

    VersionDropper(Catalog catalog, PageMap map, MapWalk walk, SegmentTable segments, Counters counters) {
        this.catalog = catalog;
        this.map = map;
        this.walk = walk;
        this.segments = segments;
        this.counters = counters;
    }

    /** Whether a version is deleted that can be dropped now. */
    boolean hasWork() {
        return choose();
    }

    /** Frees about that many blocks; false when there is nothing left to delete. */
    boolean step(int blocksMax) {
        int left = blocksMax;
        while (left > 0 && choose()) {
            left -= Math.max(1, dropPiece(left));
            counters.droppedPieces++;
            counters.recordsSinceCheckpoint++;
        }
        return choose();
    }

    /** Sets the version at work, if there is one that can be: what was begun goes first. */
    private boolean choose() {
        if (current != null && catalog.findVersion(current.id()) == current && !stuck.contains(current)) {
            return true;
        }
        current = null;
        for (Version version : catalog.deletedVersions()) {
            final boolean isPossible = version.children().size() <= 1 && !stuck.contains(version);
            if (isPossible && (current == null || version.dropCursor() > 0)) {
                current = version;
                // Only when the store was just opened there may be one that was begun before.
                if (hasChosen || version.dropCursor() > 0) {
                    break;
                }
            }
        }
        hasChosen = true;
        return current != null;
    }

    private int dropPiece(int blocksMax) {
        final Version version = current;
        pages.clear();
        nodes.clear();
        final long next;
        try {
            next = walk.unique(version, 0, blocksMax, new MapWalk.Visitor() {
                @Override
                public void page(long lpn, long ppn) {
                    pages.addLong(ppn);
                }

                @Override
                public void node(int level, long lpn, long entry) {
                    nodes.addLong(entry);
                }
            });
        } catch (StorageException e) {
            if (e.code() != ErrorCode.CORRUPT_STORE && e.code() != ErrorCode.IO) {
                throw e;
            }
            stuck.add(version);
            System.getLogger(VersionDropper.class.getName())
                    .log(System.Logger.Level.WARNING, "space of a deleted version is not freed: " + e.getMessage());
            return 1;
        }
        map.forgetCached();
        try {
            freeFound();
        } catch (StorageException e) {
            stuck.add(version); // what was freed must not be freed again
            throw e;
        }
        version.dropCursor(next == MapWalk.END ? MapNodeDescriptor.LPN_LIMIT : next);
        if (next == MapWalk.END) {
            map.releaseRoot(version);
            catalog.removeDropped(version);
            current = null;
        }
        return pages.size() + nodes.size();
    }

    private void freeFound() {
        for (int i = 0; i < pages.size(); i++) {
            segments.removeLive(pages.getLong(i));
            counters.droppedBytes += Ppn.lengthBytes(pages.getLong(i));
        }
        for (int i = 0; i < nodes.size(); i++) {
            counters.droppedBytes += Ppn.lengthBytes(map.kill(nodes.getLong(i)));
        }
    }

    DropProgress progress() {
        int branching = 0;
        for (Version version : catalog.deletedVersions()) {
            branching += version.children().size() > 1 ? 1 : 0;
        }
        final boolean isAtWork = choose();
        return new DropProgress(
                catalog.deletedVersions().size(), branching, isAtWork ? current.dropCursor() : 0,
                isAtWork ? current.pageCount() : 0, counters.droppedBytes);
    }
}
