package org.kvmdb.cache;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.PageFaulter;
import org.kvmdb.ffi.SpaceAccount;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.Append;
import org.kvmdb.journal.Journal;

/**
 * One attempt to commit a group: keep write scopes out, freeze the dirty pages, admit the scopes again; ask the front
 * ends' logs; copy out, compress, append; flush; flip the map; thaw. Under the write-back lock.
 *
 * <p>A region that cannot be committed (a bad page, a write pin that stays open) fails the requests that name it, and
 * the rest of the group continues without it. An obstacle that appears only while blocks are appended (a quota, the
 * name of a snapshot) has the same effect: the attempt is abandoned, and the next one leaves out the failed requests.
 */
final class GroupCommit {

    /** In place of a sequence: nothing was committed. */
    private static final long GIVEN_UP = -1;

    private final Journal journal;
    private final SpaceAccount space;
    private final PageWriter writer;
    private final Scopes.Gate scopeGate;
    private final List<CommitRequest> group;
    private final List<FrozenRegion> frozen = new ArrayList<>();

    GroupCommit(Journal journal, PageWriter writer, Scopes.Gate scopeGate, List<CommitRequest> group) {
        this.journal = journal;
        this.space = journal.space();
        this.writer = writer;
        this.scopeGate = scopeGate;
        this.group = group;
    }

    /**
     * Commits what has not failed; each request ends with its sequence or its failure. False, with nothing changed,
     * when one more failed alone while it was written.
     */
    boolean attempt() {
        try {
            checkFaultsAreSeen();
            freeze();
            passBarriers();
            abandonUnneeded();
            final long sequence = write();
            if (sequence == GIVEN_UP) {
                failed();
                return false;
            }
            committed(sequence);
            return true;
        } catch (RuntimeException | Error e) {
            failed();
            throw e;
        }
    }

    // From here on nothing needs memory: what was committed is not to fail after all, nor are pages to stay frozen for ever.

    private void committed(long sequence) {
        for (int i = 0; i < frozen.size(); i++) {
            frozen.get(i).committed(space);
        }
        for (int i = 0; i < group.size(); i++) {
            group.get(i).sequence(sequence);
        }
    }

    private void failed() {
        for (int i = 0; i < frozen.size(); i++) {
            frozen.get(i).failed(space);
        }
    }

    /** Pages that it committed. */
    long pageCount() {
        long count = 0;
        for (int i = 0; i < frozen.size(); i++) {
            count += frozen.get(i).pageCount();
        }
        return count;
    }

    // ---- who is in it ----

    private Stream<CommitRequest> unfailed() {
        return group.stream().filter(request -> !request.hasFailed());
    }

    private void failAll(Region region, RuntimeException failure) {
        group.stream().filter(request -> request.regions().contains(region)).forEach(request -> request.fail(failure));
    }

    /** All regions of requests that have not failed, in order of their volumes. */
    private List<Region> regions() {
        final Set<Region> regions = new TreeSet<>(Comparator.comparingInt(region -> region.version().id()));
        unfailed().forEach(request -> regions.addAll(request.regions()));
        return List.copyOf(regions);
    }

    /** Gives up what only failed requests wanted. */
    private void abandonUnneeded() {
        if (group.stream().noneMatch(CommitRequest::hasFailed)) {
            return;
        }
        frozen.removeIf(f -> {
            final boolean needed = unfailed().anyMatch(request -> request.regions().contains(f.region()));
            if (!needed) {
                f.failed(space);
            }
            return !needed;
        });
    }

    // ---- freeze ----

    private static void checkFaultsAreSeen() {
        if (!PageFaulter.isInstalled()) {
            throw new StorageException(
                    ErrorCode.FAILED,
                    "another library has replaced the SIGBUS handler, so that page faults are no longer seen: open the"
                            + " store after it was loaded, or keep it from installing one");
        }
    }

    /** Freezes the regions of the group while no write scope is open on any of them. */
    private void freeze() {
        try (Exclusion exclusion = new Exclusion(scopeGate, regions(), this::failAll)) {
            for (Region region : exclusion.regions()) {
                if (region.isClosed()) {
                    // Since the request was made. Who meant all that are open does not mean this one any more.
                    group.stream()
                            .filter(request -> request.hasNamed(region))
                            .forEach(request -> request.fail(region.closedException()));
                } else {
                    freeze(region);
                }
            }
        }
    }

    private void freeze(Region region) {
        try {
            region.checkCommittable();
            final FrozenRegion f = new FrozenRegion(region);
            frozen.add(f);
            f.freeze(space);
            // A page may have turned bad between the check and the freeze.
            region.checkCommittable();
        } catch (StorageException e) {
            failAll(region, e);
        }
    }

    private void passBarriers() {
        for (FrozenRegion f : frozen) {
            try {
                scopeGate.callingBack(f::passBarrier);
            } catch (RuntimeException e) {
                failAll(f.region(), e);
            }
        }
    }

    // ---- append and flush ----

    /** Returns the sequence, or GIVEN_UP. */
    private long write() {
        final boolean durable = unfailed().anyMatch(CommitRequest::isDurable);
        if (isNothing()) {
            if (durable) {
                journal.flush();
            }
            return journal.sequence();
        }
        try (Append append = journal.beginAppend()) {
            if (!planSnapshots(append) || !appendPages(append)) {
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

    private boolean isNothing() {
        return frozen.stream().allMatch(FrozenRegion::isEmpty)
                && unfailed().allMatch(request -> request.snapshotName() == null);
    }

    /** False when a volume came to its quota; the requests that name it have failed. */
    private boolean appendPages(Append append) {
        for (FrozenRegion f : frozen) {
            f.append(append, writer);
            try {
                f.checkQuota(journal);
            } catch (StorageException e) {
                failAll(f.region(), e);
                return false;
            }
        }
        return true;
    }

    /** Before a page takes space: a group whose snapshot cannot be is appended anew. False then; its request has failed. */
    private boolean planSnapshots(Append append) {
        for (CommitRequest request : group) {
            if (!request.hasFailed() && request.snapshotName() != null && !planSnapshots(append, request)) {
                return false;
            }
        }
        return true;
    }

    private static boolean planSnapshots(Append append, CommitRequest request) {
        for (Region region : request.regions()) {
            try {
                append.snapshot(region.version().id(), request.snapshotName());
            } catch (StorageException e) {
                if (e.code() != ErrorCode.SNAPSHOT_EXISTS
                        && e.code() != ErrorCode.BUSY
                        && e.code() != ErrorCode.STORE_FULL) {
                    throw e;
                }
                request.fail(e);
                return false;
            }
        }
        return true;
    }
}
