package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.agrona.collections.LongArrayList;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * One commit, or one group of stolen pages. Holds the append lock from {@link Journal#beginAppend} to {@link #close}; one
 * thread uses it. In order: {@link #page}, {@link #reference}, {@link #trim}, {@link #lsn},
 * {@link #snapshot}; {@link #commit}; {@link #flush}
 * (left out: an asynchronous commit); {@link #apply}; {@link #close}. Without commit or stolen, close gives it up, and
 * nothing of it will ever be applied.
 */
public final class Append implements AutoCloseable {

    private enum State {
        OPEN,
        STOLEN,
        COMMITTED,
        APPLIED,
        CLOSED
    }

    private static final long TRIM = -1;

    private final Journal journal;
    private final LogWriter log;
    private State state = State.OPEN;
    /** What apply does, entry by entry: a PPN, or TRIM, of which {@link #trimCounts} has the number of pages. */
    private VolumeEntry[] volumes = new VolumeEntry[8];

    private long[] lpns = new long[8];
    private long[] ppns = new long[8];
    private boolean[] references = new boolean[8];
    private int count;
    private final LongArrayList trimCounts = new LongArrayList(0, 0);
    private VolumeEntry[] lsnVolumes = new VolumeEntry[1];
    private long[] lsns = new long[1];
    private int lsnCount;
    private VolumeEntry lastVolume;
    private final List<CatalogWriter.SnapshotPlan> plannedSnapshots = new ArrayList<>(0);
    private final Set<String> snapshotNames = new HashSet<>(0);
    private final List<SnapshotEntry> snapshots = new ArrayList<>(0);

    Append(Journal journal, LogWriter log) {
        this.journal = journal;
        this.log = log;
    }

    /**
     * Appends a page's block, as {@link BlockEncoder} made it.
     *
     * @return its PPN
     */
    public long page(int volumeId, long lpn, MemorySegment encodedBlock) {
        check(State.OPEN);
        final VolumeEntry volume = volume(volumeId, lpn);
        if (!BlockEncoder.isEncoded(encodedBlock, volume.pageShift())) {
            throw new StorageException(
                    ErrorCode.INVALID,
                    "not a block of volume %s: %d bytes".formatted(volume.name(), encodedBlock.byteSize()));
        }
        Fields.putInt(encodedBlock, BlockDescriptor.BIRTH_EPOCH_OFFSET, volume.ownBirth());
        final long ppn = log.block(
                encodedBlock, RecordDescriptor.KIND_PAGE, journal.pageInfo(volume, lpn), volumeId, lpn, volume.familyId());
        remember(volume, lpn, ppn, false);
        return ppn;
    }

    /** Shows pages whose blocks were appended to whoever makes the store's dictionary; the content is looked at in this call only. */
    public void sample(MemorySegment pages, int pageCount, int pageShift) {
        journal.sample(pages, pageCount, pageShift);
    }

    /** Makes a stolen page part of this commit: its block was appended by an earlier group that ended as stolen. */
    public void reference(int volumeId, long lpn, long ppn) {
        check(State.OPEN);
        final VolumeEntry volume = volume(volumeId, lpn);
        journal.checkStolen(ppn);
        log.record(RecordDescriptor.KIND_REFERENCE, 0, volumeId, lpn, ppn);
        remember(volume, lpn, ppn, true);
    }

    /** Makes a page a hole, which reads as zeros. */
    public void trim(int volumeId, long lpn) {
        trim(volumeId, lpn, 1);
    }

    /** Makes holes of pages from an LPN on. */
    public void trim(int volumeId, long firstLpn, long pageCount) {
        check(State.OPEN);
        final VolumeEntry volume = volume(volumeId, firstLpn);
        if (pageCount <= 0 || pageCount > volume.pageCount() - firstLpn) {
            throw new StorageException(
                    ErrorCode.INVALID,
                    "no such pages: volume=%s lpn=%d count=%d".formatted(volume.name(), firstLpn, pageCount));
        }
        log.record(RecordDescriptor.KIND_TRIM, 0, volumeId, firstLpn, pageCount);
        remember(volume, firstLpn, TRIM, false);
        trimCounts.addLong(pageCount);
    }

    /** The LSN that the volume's pages stand at with this commit. */
    public void lsn(int volumeId, long lsn) {
        check(State.OPEN);
        final VolumeEntry volume = volume(volumeId, 0);
        log.record(RecordDescriptor.KIND_LSN, 0, volumeId, lsn, 0);
        if (lsnCount == lsns.length) {
            lsnVolumes = Arrays.copyOf(lsnVolumes, 2 * lsnCount);
            lsns = Arrays.copyOf(lsns, 2 * lsnCount);
        }
        lsnVolumes[lsnCount] = volume;
        lsns[lsnCount++] = lsn;
    }

    /** Takes a snapshot of what this commit leaves of a volume, with it, also of pages that are appended after this call. */
    public void snapshot(int volumeId, String name) {
        check(State.OPEN);
        final VolumeEntry volume = journal.volume(volumeId);
        if (!snapshotNames.add(volume.name() + '@' + name)) {
            throw new StorageException(
                    ErrorCode.SNAPSHOT_EXISTS, "this commit takes that snapshot already: %s@%s".formatted(volume.name(), name));
        }
        plannedSnapshots.add(journal.planSnapshot(volume, name, plannedSnapshots.size(), snapshots));
    }

    /** The snapshots that were taken with this commit, once it is applied. */
    public List<SnapshotEntry> snapshots() {
        return snapshots;
    }

    /** Writes the commit's last batch; returns its sequence. Neither durable nor visible yet. */
    public long commit() {
        check(State.OPEN);
        plannedSnapshots.forEach(planned -> planned.record().run());
        final long sequence = log.endGroup(BatchDescriptor.FLAG_COMMIT);
        state = State.COMMITTED;
        journal.committed(count);
        return sequence;
    }

    /** Ends the group as stolen pages: their blocks stay, for {@link #reference} or {@link Journal#dropStolen} later. */
    public void stolen() {
        check(State.OPEN);
        log.endGroup(BatchDescriptor.FLAG_STOLEN);
        try {
            journal.stolen(ppns, count);
        } catch (Error e) {
            throw journal.end(e);
        }
        state = State.STOLEN;
    }

    /** One device flush: when it returns, everything up to this commit is durable. */
    public void flush() {
        if (state == State.OPEN || state == State.CLOSED) {
            throw wrongState("flush");
        }
        log.flush();
    }

    /** Makes the commit visible: flips the entries of the map. */
    public void apply() {
        check(State.COMMITTED);
        for (int i = 0, trims = 0; i < count; i++) {
            if (ppns[i] == TRIM) {
                journal.applyTrim(volumes[i], lpns[i], lpns[i] + trimCounts.getLong(trims++));
            } else {
                journal.applyPage(volumes[i], lpns[i], ppns[i], references[i]);
            }
        }
        for (int i = 0; i < lsnCount; i++) {
            lsnVolumes[i].lsn(lsns[i]);
        }
        plannedSnapshots.forEach(planned -> planned.take().run());
        state = State.APPLIED;
        journal.applied();
    }

    @Override
    public void close() {
        if (state == State.CLOSED) {
            return;
        }
        try {
            if (state == State.OPEN) {
                log.abandonGroup();
            } else if (state == State.COMMITTED) {
                journal.fail("a commit was written but not applied");
            }
        } catch (Error e) {
            throw journal.end(e);
        } finally {
            state = State.CLOSED;
            journal.endAppend();
        }
    }

    /** With its map in memory: to apply the commit nothing must be read any more. */
    private VolumeEntry volume(int volumeId, long lpn) {
        if (lastVolume == null || lastVolume.id() != volumeId) {
            lastVolume = journal.loaded(volumeId);
        }
        if (lpn < 0 || lpn >= lastVolume.pageCount()) {
            throw new StorageException(
                    ErrorCode.INVALID,
                    "no such page: volume=%s lpn=%d pages=%d"
                            .formatted(lastVolume.name(), lpn, lastVolume.pageCount()));
        }
        return lastVolume;
    }

    private void remember(VolumeEntry volume, long lpn, long ppn, boolean reference) {
        if (count == ppns.length) {
            volumes = Arrays.copyOf(volumes, 2 * count);
            lpns = Arrays.copyOf(lpns, 2 * count);
            ppns = Arrays.copyOf(ppns, 2 * count);
            references = Arrays.copyOf(references, 2 * count);
        }
        volumes[count] = volume;
        lpns[count] = lpn;
        ppns[count] = ppn;
        references[count++] = reference;
    }

    private void check(State expected) {
        if (state != expected) {
            throw wrongState(expected.name());
        }
    }

    private StorageException wrongState(String expected) {
        return new StorageException(
                ErrorCode.INVALID, "append is %s, where %s is needed".formatted(state, expected));
    }
}
