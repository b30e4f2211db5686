package org.kvmdb.cache;

import java.util.List;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.LpnList;
import org.kvmdb.ffi.SpaceAccount;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.Journal;

/**
 * Operations that take pages from a region without a commit: rollback, resize, replacement of the content, close.
 * Except at close, no thread has a write scope open meanwhile. Under the write-back lock.
 */
final class RegionChanges {

    private final Journal journal;
    private final SpaceAccount space;
    private final Scopes.Gate scopeGate;
    private final StolenPages stolenPages;

    RegionChanges(Journal journal, Scopes.Gate scopeGate, StolenPages stolenPages) {
        this.journal = journal;
        this.space = journal.space();
        this.scopeGate = scopeGate;
        this.stolenPages = stolenPages;
    }

    /** Drops what was written since the last commit. */
    void rollback(Region region) {
        exclusively(region, () -> region.pins().whileNoneBegins(() -> {
            final LpnList stolen = region.stolenFrom(0);
            if (!region.nativeRegion().rollback()) {
                throw new StorageException(
                        ErrorCode.BUSY,
                        "pages of volume %s are pinned: close the pins".formatted(region.volume().name()));
            }
            forget(region, stolen);
        }));
    }

    /** The pages are gone from memory; so goes what was kept for them. */
    private void forget(Region region, LpnList stolen) {
        region.nativeRegion().trimSpill();
        stolenPages.dropAll(region, stolen);
        region.forgive(); // last: it throws when the kernel keeps pages in memory that were to go
    }

    void resize(Region region, long sizeBytes) {
        exclusively(region, () -> {
            if (sizeBytes >= region.volume().sizeBytes()) {
                grow(region, sizeBytes);
            } else {
                region.pins().whileNoneBegins(() -> shrink(region, sizeBytes));
            }
        });
    }

    private void grow(Region region, long sizeBytes) {
        region.checkCanGrowTo(sizeBytes);
        journal.resizeVolume(region.volume().id(), sizeBytes);
        region.resizeMapping(sizeBytes);
    }

    /** The mapping first: a page beyond that is pinned refuses, with nothing changed; then nobody writes there. */
    private void shrink(Region region, long sizeBytes) {
        final long before = region.volume().sizeBytes();
        final LpnList stolen = region.stolenFrom(sizeBytes >>> region.volume().pageShift());
        resizeNative(region, sizeBytes);
        try {
            journal.resizeVolume(region.volume().id(), sizeBytes);
        } catch (RuntimeException | Error e) {
            region.nativeRegion().resize(before);
            throw e;
        }
        region.resizeMapping(sizeBytes);
        stolenPages.drop(stolen);
    }

    private static void resizeNative(Region region, long sizeBytes) {
        try {
            region.nativeRegion().resize(sizeBytes);
        } catch (StorageException e) {
            throw e.code() == ErrorCode.BUSY
                    ? new StorageException(
                            ErrorCode.BUSY,
                            "pages of volume %s beyond %d bytes are pinned: close the pins"
                                    .formatted(region.volume().name(), sizeBytes),
                            e)
                    : e;
        }
    }

    /** See {@link PageCache#replace}. */
    void replace(Region region, long sizeBytes, boolean dropsWrites, Runnable change) {
        exclusively(region, () -> region.pins().whileNone(() -> {
            region.checkCanGrowTo(sizeBytes);
            if (!dropsWrites) {
                checkCommitted(region);
            }
            final LpnList stolen = region.stolenFrom(0);
            change.run();
            region.replaceContent();
            forget(region, stolen);
        }));
    }

    private void checkCommitted(Region region) {
        final FrozenRegion frozen = new FrozenRegion(region);
        final long pages;
        try {
            frozen.freeze(space);
            pages = frozen.pageCount();
        } finally {
            frozen.failed(space);
        }
        if (pages > 0) {
            throw new StorageException(
                    ErrorCode.WRONG_BASE,
                    "volume %s was changed: %d pages are not committed; roll back, or commit them and take a snapshot"
                            .formatted(region.volume().name(), pages));
        }
    }

    /** Closes a region; what was not committed is dropped. Its memory is closed by now. */
    void discard(Region region) {
        final LpnList stolen = region.stolenFrom(0);
        region.close();
        stolenPages.dropAll(region, stolen);
    }

    private void exclusively(Region region, Runnable action) {
        try (Exclusion _ = new Exclusion(scopeGate, List.of(region), RegionChanges::refuse)) {
            if (region.isClosed()) {
                throw region.closedException();
            }
            action.run();
        }
    }

    private static void refuse(Region region, StorageException pinned) {
        throw pinned;
    }
}
