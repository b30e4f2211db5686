package org.kvmdb.cache;

import org.kvmdb.ffi.LpnList;
import org.kvmdb.ffi.NativeRegion;
import org.kvmdb.ffi.SpaceAccount;

/** Moves dirty pages from memory to the log before their commit. Under the write-back lock. */
final class Stealer {

    /** Stolen in one go: about a batch of the log. */
    private static final long PAGES_MAX = 256;

    private final SpaceAccount space;
    private final PageWriter writer;
    private final StolenPages stolen;

    Stealer(SpaceAccount space, PageWriter writer, StolenPages stolen) {
        this.space = space;
        this.writer = writer;
        this.stolen = stolen;
    }

    /** Moves some pages of a region, from where the last call ended. Returns how many. */
    long steal(Region region) {
        if (region.isClosed()) {
            return 0;
        }
        final LpnList pages = region.emptyFrozenList();
        final NativeRegion.Freeze freeze =
                region.nativeRegion().freezeToSteal(pages, space, region.stealCursor(), PAGES_MAX);
        region.stealCursor(freeze.nextLpn());
        if (!pages.isEmpty()) {
            steal(region, freeze, pages);
        }
        return pages.size();
    }

    private void steal(Region region, NativeRegion.Freeze freeze, LpnList pages) {
        final NativeRegion nativeRegion = region.nativeRegion();
        try {
            stolen.append(writer.write(region, freeze, pages));
        } catch (RuntimeException | Error e) {
            space.release(freeze.pathReservedBytes());
            nativeRegion.thawDirty(freeze, pages);
            throw e;
        }
        nativeRegion.steal(pages);
        nativeRegion.thawClean(freeze, pages);
        stolen.drop(pages); // its PPNs are now those that were stolen earlier and written again since
        stolen.keepFor(region, pages.size(), freeze);
    }
}
