package org.kvmdb.cache;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import org.kvmdb.ffi.BlockBuffers;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.LpnList;
import org.kvmdb.ffi.NativeRegion;
import org.kvmdb.ffi.PageFaulter;
import org.kvmdb.ffi.SpaceAccount;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.Append;
import org.kvmdb.journal.Journal;

/**
 * Everything that takes dirty pages away: commit, stealing, rollback, resizing. One at a time, under the write-back lock;
 * faults go on meanwhile.
 *
 * <p>A commit: keep write scopes out, freeze the dirty pages, let the scopes in again; ask the front ends' logs; copy out,
 * compress, append; flush; flip the map; thaw. A region whose part cannot be committed (a bad page, a write pin that
 * stays) fails the requests that name it, and the rest of the group goes on without it (DURABILITY rule 9). What shows
 * only while blocks are appended (a quota, the name of a snapshot) does the same: the group is given up, and begins again
 * without those who failed.
 */
final class WriteBack {

    /** Stolen in one go: about a batch of the log. */
    private static final long STEAL_PAGES_MAX = 256;

    /** How long a writer waits to write to the log itself, instead of through memory. */
    private static final long LOCK_WAIT_NANOS = 10_000_000;

    /** In place of a sequence: nothing was committed. */
    private static final long GIVEN_UP = -1;

    /** Kept reserved for each stolen page until its commit: the record that refers to it. */
    private static final long REFERENCE_BYTES = 64;

    private final Journal journal;
    private final SpaceAccount space;
    private final Scopes.Gate scopeGate;
    private final PageWriter writer;
    /** The write-back lock. Fair: who commits in a loop must not keep the stealer out. */
    private final ReentrantLock lock = new ReentrantLock(true);
    /** Changed under the lock, and read without it: who asks for statistics must not wait for a device. */
    private volatile long stolenPages;

    private volatile long committedPages;

    WriteBack(Journal journal, PageWriter writer, Scopes.Gate scopeGate) {
        this.journal = journal;
        this.writer = writer;
        this.scopeGate = scopeGate;
        this.space = journal.space();
    }

    // ---- commit ----

    /** Commits a group; each request ends with its sequence or its failure. */
    void commit(List<CommitRequest> group) {
        lock.lock();
        try {
            long sequence;
            do {
                sequence = tryCommit(group);
            } while (sequence == GIVEN_UP);
            for (CommitRequest request : group) {
                request.sequence(sequence);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Commits what has not failed; GIVEN_UP, with nothing changed, when one more failed alone while it was written. */
    private long tryCommit(List<CommitRequest> group) {
        final Map<Region, FrozenRegion> frozen = new LinkedHashMap<>();
        try {
            freeze(group, frozen);
            passBarriers(group, frozen);
            abandonUnneeded(group, frozen);
            final long sequence = write(group, frozen.values());
            for (FrozenRegion f : frozen.values()) {
                if (sequence == GIVEN_UP) {
                    f.failed(space);
                } else {
                    f.committed(space);
                    committedPages += f.pageCount();
                }
            }
            return sequence;
        } catch (RuntimeException | Error e) {
            frozen.values().forEach(f -> f.failed(space));
            throw e;
        }
    }

    private static boolean isDurable(List<CommitRequest> group) {
        for (CommitRequest request : group) {
            if (request.isDurable() && !request.hasFailed()) {
                return true;
            }
        }
        return false;
    }

    private static void failAll(List<CommitRequest> group, Region region, RuntimeException failure) {
        group.stream().filter(request -> request.regions().contains(region)).forEach(request -> request.fail(failure));
    }

    /** Freezes the regions of the group while no write scope is open on any of them. */
    private void freeze(List<CommitRequest> group, Map<Region, FrozenRegion> frozen) {
        if (!PageFaulter.isInstalled()) {
            throw new StorageException(
                    ErrorCode.FAILED,
                    "another library has replaced the SIGBUS handler, so that page faults are no longer seen: open the"
                            + " store after it was loaded, or keep it from installing one");
        }
        final List<Region> locked = lockScopes(regionsOf(group), (region, e) -> failAll(group, region, e));
        try {
            for (Region region : locked) {
                try {
                    if (region.isClosed()) {
                        // Since the request was made. Who meant all that are open does not mean this one any more.
                        group.stream()
                                .filter(request -> request.hasNamed(region))
                                .forEach(request -> request.fail(region.closedException()));
                        continue;
                    }
                    region.checkCommittable();
                    final FrozenRegion f = new FrozenRegion(region);
                    frozen.put(region, f);
                    f.freeze(space);
                    // A page may have turned bad between the check and the freeze.
                    region.checkCommittable();
                } catch (StorageException e) {
                    failAll(group, region, e);
                }
            }
        } finally {
            unlockScopes(locked);
        }
    }

    /** Keeps scopes out of the regions together; those with a write pin that stays go to the handler and are left out. */
    private List<Region> lockScopes(List<Region> regions, BiConsumer<Region, StorageException> onPinned) {
        final List<Region> wanted = new ArrayList<>(regions);
        do {
            wanted.removeIf(region -> {
                try {
                    region.scopes().awaitNoWritePins();
                    return false;
                } catch (StorageException e) {
                    onPinned.accept(region, e);
                    return true;
                }
            });
        } while (!Scopes.tryLock(scopeGate, scopesOf(wanted)));
        return wanted;
    }

    private void unlockScopes(List<Region> locked) {
        Scopes.unlock(scopeGate, scopesOf(locked));
    }

    private static List<Scopes> scopesOf(List<Region> regions) {
        return regions.stream().map(Region::scopes).toList();
    }

    /** All regions of requests that have not failed, in order of their volumes. */
    private static List<Region> regionsOf(List<CommitRequest> group) {
        final Set<Region> regions = new TreeSet<>(Comparator.comparingInt(region -> region.version().id()));
        for (CommitRequest request : group) {
            if (!request.hasFailed()) {
                regions.addAll(request.regions());
            }
        }
        return List.copyOf(regions);
    }

    private void passBarriers(List<CommitRequest> group, Map<Region, FrozenRegion> frozen) {
        frozen.forEach((region, f) -> {
            try {
                scopeGate.callingBack(f::passBarrier);
            } catch (RuntimeException e) {
                failAll(group, region, e);
            }
        });
    }

    /** Gives up what only failed requests wanted. */
    private void abandonUnneeded(List<CommitRequest> group, Map<Region, FrozenRegion> frozen) {
        if (group.stream().noneMatch(CommitRequest::hasFailed)) {
            return;
        }
        frozen.entrySet().removeIf(entry -> {
            final boolean needed = group.stream()
                    .anyMatch(request -> !request.hasFailed() && request.regions().contains(entry.getKey()));
            if (!needed) {
                entry.getValue().failed(space);
            }
            return !needed;
        });
    }

    private long write(List<CommitRequest> group, Collection<FrozenRegion> frozen) {
        final boolean durable = isDurable(group);
        if (isNothing(frozen) && !takesSnapshots(group)) {
            if (durable) {
                journal.flush();
            }
            return journal.sequence();
        }
        try (Append append = journal.beginAppend()) {
            if (!appendPages(group, frozen, append) || !appendSnapshots(group, append)) {
                return GIVEN_UP;
            }
            final long sequence = append.commit();
            if (durable) {
                append.flush();
            }
            append.apply();
            return sequence;
        }
    }

    /** False when a volume came to its quota; the requests that name it have failed. */
    private boolean appendPages(List<CommitRequest> group, Collection<FrozenRegion> frozen, Append append) {
        for (FrozenRegion f : frozen) {
            f.append(append, writer);
            try {
                f.checkQuota(journal);
            } catch (StorageException e) {
                failAll(group, f.region(), e);
                return false;
            }
        }
        return true;
    }

    private static boolean takesSnapshots(List<CommitRequest> group) {
        return group.stream().anyMatch(request -> !request.hasFailed() && request.snapshotName() != null);
    }

    /** Behind all pages: a snapshot holds what the commit leaves. False when one cannot be; its request has failed. */
    private static boolean appendSnapshots(List<CommitRequest> group, Append append) {
        for (CommitRequest request : group) {
            if (request.hasFailed() || request.snapshotName() == null) {
                continue;
            }
            for (Region region : request.regions()) {
                try {
                    append.snapshot(region.version().id(), request.snapshotName());
                } catch (StorageException e) {
                    if (e.code() != ErrorCode.SNAPSHOT_EXISTS && e.code() != ErrorCode.BUSY) {
                        throw e;
                    }
                    request.fail(e);
                    return false;
                }
            }
        }
        return true;
    }

    private static boolean isNothing(Collection<FrozenRegion> frozen) {
        for (FrozenRegion f : frozen) {
            if (!f.isEmpty()) {
                return false;
            }
        }
        return true;
    }

    // ---- stealing ----

    /** Moves some dirty pages of a region to the log before their commit. Returns how many. */
    long steal(Region region) {
        lock.lock();
        try {
            if (region.isClosed()) {
                return 0;
            }
            final LpnList pages = region.emptyFrozenList();
            final NativeRegion.Freeze freeze =
                    region.nativeRegion().freezeToSteal(pages, space, region.stealCursor(), STEAL_PAGES_MAX);
            region.stealCursor(freeze.nextLpn());
            if (!pages.isEmpty()) {
                stealFrozen(region, freeze, pages);
            }
            return pages.size();
        } finally {
            lock.unlock();
        }
    }

    private void stealFrozen(Region region, NativeRegion.Freeze freeze, LpnList pages) {
        final NativeRegion nativeRegion = region.nativeRegion();
        try {
            appendStolen(writer.write(region, freeze, pages));
        } catch (RuntimeException | Error e) {
            space.release(freeze.pathReservedBytes());
            nativeRegion.thawDirty(freeze, pages);
            throw e;
        }
        nativeRegion.steal(pages);
        nativeRegion.thawClean(freeze, pages);
        // The list's PPNs are now those that were stolen earlier and written again since.
        for (long i = 0; i < pages.size(); i++) {
            dropStolen(pages.ppn(i));
        }
        keepForStolen(region, pages.size(), freeze);
    }

    /**
     * Writes whole pages that are not in memory to the log, as stolen ones: what would be stolen soon in any case need not
     * come into memory before. It does not wait long for the lock, and not at all within a write scope, for which a commit
     * that has the lock may be waiting.
     *
     * @return the pages, from the first on, for which that was done; the others are to be written through memory
     */
    BitSet writeThrough(Region region, long firstLpn, MemorySegment source) {
        final BitSet none = new BitSet();
        if (lock.isHeldByCurrentThread() || !tryLock(scopeGate.isInside() ? 0 : LOCK_WAIT_NANOS)) {
            return none;
        }
        try {
            final long count = source.byteSize() >>> region.volume().pageShift();
            if (region.isClosed() || firstLpn + count > region.volume().pageCount()) {
                return none;
            }
            final LpnList missing = region.emptyFrozenList();
            final NativeRegion.Freeze reserved = region.nativeRegion().reserveMissing(firstLpn, count, missing);
            if (reserved == null) {
                return none;
            }
            if (missing.isEmpty()) {
                space.release(reserved.pathReservedBytes());
                return none;
            }
            return writeThrough(region, missing, firstLpn, source, reserved);
        } finally {
            lock.unlock();
        }
    }

    private boolean tryLock(long waitNanos) {
        try {
            return lock.tryLock(waitNanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private BitSet writeThrough(
            Region region, LpnList pages, long firstLpn, MemorySegment source, NativeRegion.Freeze reserved) {
        final BitSet placed;
        try {
            appendStolen(writer.write(region, pages, new CopiedSource(region.volume().pageShift(), pages, firstLpn, source)));
            placed = region.nativeRegion().place(pages);
        } catch (RuntimeException | Error e) {
            space.release(reserved.pageReservedBytes() + reserved.pathReservedBytes());
            throw e;
        }
        final BitSet done = new BitSet();
        for (int i = 0; i < pages.size(); i++) {
            // The PPN is now that which was stolen earlier; that of a page that came into memory is of no use.
            dropStolen(pages.ppn(i));
            done.set((int) (pages.lpn(i) - firstLpn), placed.get(i));
        }
        keepForStolen(region, placed.cardinality(), reserved);
        return done;
    }

    /** The caller copies: the memory may belong to its thread, and may change. */
    private record CopiedSource(int pageShift, LpnList pages, long firstLpn, MemorySegment source)
            implements PageWriter.Source {

        @Override
        public void fetch(long first, int count, BlockBuffers buffers) {
            for (int i = 0; i < count; i++) {
                final long page = pages.lpn(first + i) - firstLpn;
                MemorySegment.copy(
                        source, page << pageShift, buffers.pages(), (long) i << pageShift, 1L << pageShift);
            }
        }

        @Override
        public void encode(long first, int count, BlockBuffers buffers) {
            buffers.encode(count, pageShift);
        }
    }

    private void appendStolen(PageWriter.Writing pageWriting) {
        try (PageWriter.Writing writing = pageWriting;
                Append append = journal.beginAppend()) {
            writing.append(append);
            append.stolen();
        }
    }

    /** What was reserved for pages is more than stolen ones need. */
    private void keepForStolen(Region region, long count, NativeRegion.Freeze reserved) {
        final long held = count * REFERENCE_BYTES;
        region.holdStolenReservation(held + reserved.pathReservedBytes());
        space.release(reserved.pageReservedBytes() - held);
        stolenPages += count;
    }

    private void dropStolen(long ppn) {
        if (ppn != 0) {
            journal.dropStolen(ppn);
        }
    }

    // ---- rollback and resize ----

    /** Drops what was written to the regions since their last commit. One that was closed is an error if it was named. */
    void rollback(Collection<Region> regions, boolean named) {
        lock.lock();
        try {
            for (Region region : regions) {
                if (region.isClosed() && !named) {
                    continue;
                }
                exclusively(region, () -> rollback(region));
            }
        } finally {
            lock.unlock();
        }
    }

    private void rollback(Region region) {
        final LpnList stolen = region.stolenFrom(0);
        if (!region.nativeRegion().rollback()) {
            throw new StorageException(
                    ErrorCode.BUSY, "pages of volume %s are pinned: close the pins".formatted(region.volume().name()));
        }
        region.nativeRegion().trimSpill();
        releaseStolen(region, stolen);
        region.forgive(); // last: it throws when the kernel keeps pages in memory that were to go
    }

    private void releaseStolen(Region region, LpnList stolen) {
        for (long i = 0; i < stolen.size(); i++) {
            dropStolen(stolen.ppn(i));
        }
        space.release(region.takeStolenReservation());
    }

    /** Changes the size of a volume that is mapped. */
    void resize(Region region, long sizeBytes) {
        lock.lock();
        try {
            exclusively(region, () -> {
                final int id = region.volume().id();
                if (sizeBytes >= region.volume().sizeBytes()) {
                    region.checkCanGrowTo(sizeBytes);
                    journal.resizeVolume(id, sizeBytes);
                    region.resizeMapping(sizeBytes);
                } else {
                    shrink(region, sizeBytes);
                }
            });
        } finally {
            lock.unlock();
        }
    }

    /** The mapping first: a page beyond that is pinned refuses, with nothing changed; then nobody writes there. */
    private void shrink(Region region, long sizeBytes) {
        final long before = region.volume().sizeBytes();
        final LpnList stolen = region.stolenFrom(sizeBytes >>> region.volume().pageShift());
        region.nativeRegion().resize(sizeBytes);
        try {
            journal.resizeVolume(region.volume().id(), sizeBytes);
        } catch (RuntimeException e) {
            region.nativeRegion().resize(before);
            throw e;
        }
        region.resizeMapping(sizeBytes);
        for (long i = 0; i < stolen.size(); i++) {
            dropStolen(stolen.ppn(i));
        }
    }

    /** Closes a region; what was not committed is dropped. Its memory is closed by now. */
    void discard(Region region) {
        lock.lock();
        try {
            final LpnList stolen = region.stolenFrom(0);
            region.close();
            releaseStolen(region, stolen);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Makes a volume hold something else, which a change of the journal gives it; what was not committed is dropped. When
     * the change throws, everything is as it was.
     *
     * @param sizeBytes that the volume has afterwards
     * @param dropsWrites false: it is refused when something is not committed
     */
    void replace(Region region, long sizeBytes, boolean dropsWrites, Runnable change) {
        lock.lock();
        try {
            exclusively(region, () -> region.whileUnpinned(() -> {
                region.checkCanGrowTo(sizeBytes);
                if (!dropsWrites) {
                    checkCommitted(region);
                }
                final LpnList stolen = region.stolenFrom(0);
                change.run();
                region.replaceContent();
                region.nativeRegion().trimSpill();
                releaseStolen(region, stolen);
                region.forgive(); // last, as in a rollback
            }));
        } finally {
            lock.unlock();
        }
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

    private void exclusively(Region region, Runnable action) {
        final List<Region> locked = lockScopes(List.of(region), (pinned, e) -> {
            throw e;
        });
        try {
            if (region.isClosed()) {
                throw region.closedException();
            }
            action.run();
        } finally {
            unlockScopes(locked);
        }
    }

    long stolenPages() {
        return stolenPages;
    }

    long committedPages() {
        return committedPages;
    }
}
