package org.kvmdb.cache;

import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.LpnList;
import org.kvmdb.ffi.NativeRegion;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.SpaceAccount;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.Append;
import org.kvmdb.journal.Journal;
import org.kvmdb.journal.VolumeEntry;

/**
 * The pages that one commit takes from one region: those it froze, and those stolen to the log before. Used by one
 * committer under the write-back lock. The first call of {@link #committed} or {@link #failed} ends it; neither needs
 * memory.
 */
final class FrozenRegion {

    private final Region region;
    private final LpnList pages;
    private LpnList stolen;
    /** Null until it froze, and when it has ended. */
    private NativeRegion.Freeze freeze;

    private long lsn = -1;

    /** Nothing is frozen yet. */
    FrozenRegion(Region region) {
        this.region = region;
        pages = region.emptyFrozenList();
    }

    /** Freezes; no write scope is open. When it throws, {@link #failed} undoes what was done. */
    void freeze(SpaceAccount space) {
        freeze = region.nativeRegion().freezeAll(pages, space);
        if (freeze.nextLpn() != NativeRegion.Freeze.END) {
            throw new OutOfMemoryError("no memory to list more than %d dirty pages".formatted(pages.size()));
        }
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
        try (PageWriter.Writing writing = writer.writeBesideWriters(region, freeze, pages)) {
            writing.append(append);
        }
        if (lsn >= 0) {
            append.lsn(volumeId, lsn);
        }
    }

    Region region() {
        return region;
    }

    /** Throws QUOTA when the commit would make the volume refer to more than it may; the blocks are appended by now. */
    void checkQuota(Journal journal) {
        final VolumeEntry volume = region.volume();
        final long quota = volume.quotaBytes();
        if (quota == 0 || volume.referencedBytes() + blockBytes(pages) + blockBytes(stolen) <= quota) {
            return;
        }
        final long growth = growth(journal);
        final long wanted = volume.referencedBytes() + growth;
        if (growth > 0 && wanted > quota) {
            throw new StorageException(
                    ErrorCode.QUOTA,
                    "over the quota of volume %s: quota=%d committed=%d with this=%d; roll back, or raise the quota"
                            .formatted(volume.name(), quota, volume.referencedBytes(), wanted));
        }
    }

    private static long blockBytes(LpnList list) {
        long bytes = 0;
        for (long i = 0; i < list.size(); i++) {
            bytes += Ppn.lengthBytes(list.ppn(i));
        }
        return bytes;
    }

    /** What the blocks of the commit are longer than those that they replace. Both lists are in order of LPN. */
    private long growth(Journal journal) {
        long growth = 0;
        long next = 0;
        for (long i = 0; i < pages.size(); i++) {
            growth += growth(journal, pages, i);
            for (; next < stolen.size() && stolen.lpn(next) <= pages.lpn(i); next++) {
                // One that was written again since is not what the commit leaves.
                growth += stolen.lpn(next) == pages.lpn(i) ? 0 : growth(journal, stolen, next);
            }
        }
        for (; next < stolen.size(); next++) {
            growth += growth(journal, stolen, next);
        }
        return growth;
    }

    private long growth(Journal journal, LpnList list, long index) {
        final long before = journal.lookup(region.volume().id(), list.lpn(index));
        return Ppn.lengthBytes(list.ppn(index)) - Ppn.lengthBytes(before);
    }

    /** The map has the pages: they are clean. */
    void committed(SpaceAccount space) {
        final NativeRegion nativeRegion = region.nativeRegion();
        final NativeRegion.Freeze ended = freeze;
        freeze = null;
        nativeRegion.unsteal(stolen);
        nativeRegion.thawClean(ended, pages);
        nativeRegion.trimSpill();
        space.release(ended.pageReservedBytes() + ended.pathReservedBytes() + region.takeStolenReservation());
    }

    /** Nothing was committed: the pages are dirty again and belong to the next commit. */
    void failed(SpaceAccount space) {
        if (freeze == null) {
            return;
        }
        final NativeRegion.Freeze ended = freeze;
        freeze = null;
        // The pages keep their reservations; those of the map's paths are made anew with the dirty marks.
        space.release(ended.pathReservedBytes());
        region.nativeRegion().thawDirty(ended, pages);
    }
}
