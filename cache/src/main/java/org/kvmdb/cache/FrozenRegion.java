package org.kvmdb.cache;

import org.kvmdb.ffi.LpnList;
import org.kvmdb.ffi.NativeRegion;
import org.kvmdb.ffi.SpaceAccount;
import org.kvmdb.journal.Append;

/**
 * What one commit takes from one region: the pages frozen now, and those stolen to the log before. Used by one committer
 * under the write-back lock; ended by exactly one of {@link #committed} and {@link #failed}.
 */
final class FrozenRegion {

    private final Region region;
    private final LpnList pages;
    private final LpnList stolen;
    private final NativeRegion.Freeze freeze;
    private long lsn = -1;

    /** Freezes; no write scope is open. */
    FrozenRegion(Region region) {
        this.region = region;
        pages = region.emptyFrozenList();
        freeze = region.nativeRegion().freezeAll(pages);
        stolen = region.stolenFrom(0);
    }

    /** Asks the front end how far its own log reaches, and has it made durable. */
    void passBarrier() {
        final Region.WriteAheadBarrier barrier = region.barrier();
        if (barrier != null) {
            lsn = barrier.currentLsn();
            barrier.flushTo(lsn);
        }
    }

    boolean isEmpty() {
        return pages.isEmpty() && stolen.isEmpty() && (lsn < 0 || lsn == region.volume().lsn());
    }

    long pageCount() {
        return pages.size() + stolen.size();
    }

    void append(Append append, PageWriter writer) {
        final int volumeId = region.volume().id();
        for (long i = 0; i < stolen.size(); i++) {
            append.reference(volumeId, stolen.lpn(i), stolen.ppn(i));
        }
        writer.append(append, region, freeze, pages);
        if (lsn >= 0) {
            append.lsn(volumeId, lsn);
        }
    }

    /** The map has the pages: they are clean. */
    void committed(SpaceAccount space) {
        final NativeRegion nativeRegion = region.nativeRegion();
        nativeRegion.unsteal(stolen);
        nativeRegion.thawClean(freeze, pages);
        nativeRegion.trimSpill();
        space.release(freeze.pageReservedBytes() + freeze.pathReservedBytes() + region.takeStolenReservation());
    }

    /** Nothing was committed: the pages are dirty again and belong to the next commit. */
    void failed(SpaceAccount space) {
        // The pages keep their reservations; those of the map's paths are made anew with the dirty marks.
        space.release(freeze.pathReservedBytes());
        region.nativeRegion().thawDirty(freeze, pages);
    }
}
