package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.fuzz.Edit;

/**
 * A store with lies anywhere is recovered for good, written to, snapshotted, cleaned, checkpointed, closed, and opened again: what
 * was believed at first must not lead to anything but a typed refusal later, and what was committed since must be there.
 */
public final class ImageFuzzTarget extends StoreFuzzTarget {

    private static final String MINE = "mine";
    private static final long VERSION = 77;

    /** Whether a step said that the store is corrupt, or failed. */
    private boolean isNoticed;

    public ImageFuzzTarget() {
        super("image", ForgedStore.SUPERBLOCK, "root/", "catalog/", ForgedStore.NODE, ForgedStore.BATCH, ForgedStore.BLOCK, "file/");
    }

    @Override
    public String valid() {
        return "read, written, read again";
    }

    @Override
    public boolean isSteady() {
        return false;
    }

    @Override
    public int cost() {
        return 4;
    }

    @Override
    JournalOptions options() {
        return FuzzImages.OPTIONS;
    }

    @Override
    public String run(List<Edit> program) {
        final HeapDevice device = store().forge(program);
        inspect(store().forge(program));
        final boolean isContentTrue = program.stream().noneMatch(
                edit -> edit.place().startsWith(ForgedStore.BLOCK) || edit.place().equals(ForgedStore.FILE));
        boolean isMine = false;
        isNoticed = false;
        String outcome;
        try (Journal journal = Journal.open(device, options().withRandom(new SplittableRandom(5)))) {
            outcome = readAll(journal, isContentTrue);
            isMine = write(journal);
            upkeep(journal);
            outcome += isMine ? ", written" : "";
        } catch (StorageException e) {
            checkCode(e);
            isNoticed = true;
            outcome = e.code().name();
        }
        return outcome + (isMine ? reopen(device, isContentTrue) : "");
    }

    /** What kvmdb check does. */
    private static void inspect(HeapDevice device) {
        try (JournalInspection inspection = JournalInspection.open(device, defect -> {})) {
            inspection.checkBatches();
            inspection.forEachBlock((owner, lpn, ppn, crc) -> inspection.position(ppn));
        } catch (StorageException e) {
            checkCode(e);
        }
    }

    /** Commits a page of a volume of its own; whether that was done. */
    private boolean write(Journal journal) {
        try (Arena arena = Arena.ofConfined()) {
            final VolumeEntry mine = journal.createVolume(MINE, 1 << 20, 12);
            final MemorySegment page = arena.allocate(1 << 12, 64);
            final MemorySegment block = arena.allocate(BlockEncoder.destinationLength(12), 64);
            PageContent.fill(page, mine.familyId(), 3, VERSION);
            try (Append append = journal.beginAppend()) {
                append.page(mine.id(), 3, block.asSlice(0, BlockEncoder.encode(page, 12, block)));
                append.commit();
                append.flush();
                append.apply();
            }
            return true;
        } catch (StorageException e) {
            checkCode(e);
            isNoticed = true;
            return false;
        }
    }

    /** What a store does by itself and by command; each may be refused. */
    private void upkeep(Journal journal) {
        attempt(() -> trimAll(journal));
        attempt(() -> journal.versions().createSnapshots(
                journal.volumes().stream().map(VolumeEntry::id).limit(3).toList(), "fuzz"));
        attempt(() -> {
            for (SnapshotEntry snapshot : journal.versions().snapshots()) {
                journal.versions().space(snapshot);
            }
        });
        attempt(() -> journal.versions().dropStep(50));
        attempt(() -> clean(journal));
        attempt(() -> journal.punchFreeSegments(1, 4));
        attempt(journal::checkpoint);
        attempt(journal::segmentStatistics);
    }

    private static void trimAll(Journal journal) {
        for (VolumeEntry volume : journal.volumes()) {
            if (!volume.name().equals(MINE)) {
                try (Append append = journal.beginAppend()) {
                    append.trim(volume.id(), 0, Math.min(volume.pageCount(), MapNodeDescriptor.FANOUT));
                    append.commit();
                    append.apply();
                }
            }
        }
    }

    private static void clean(Journal journal) {
        final int[] segments = journal.mover().census().segments();
        for (int i = 0; i < Math.min(4, segments.length); i++) {
            journal.mover().collect(segments[i], new int[SegmentCensus.CLASSES]);
        }
        journal.mover().publish();
    }

    private void attempt(Runnable step) {
        try {
            step.run();
        } catch (StorageException e) {
            if (e.code() != ErrorCode.INVALID) {
                checkCode(e);
            }
            isNoticed |= e.code() != ErrorCode.STORE_FULL && e.code() != ErrorCode.SNAPSHOT_EXISTS;
        }
    }

    /** What was acknowledged is there, whatever else was a lie, unless the store had said before that it is corrupt. */
    private String reopen(HeapDevice device, boolean isContentTrue) {
        device.reopen();
        try (Journal journal = Journal.open(device, options().withRandom(new SplittableRandom(6)))) {
            readAll(journal, isContentTrue);
            final VolumeEntry mine = journal.volume(MINE);
            try (Arena arena = Arena.ofConfined()) {
                final MemorySegment page = arena.allocate(1 << 12, 64);
                journal.readPage(mine.id(), 3, page);
                if (PageContent.version(page, mine.familyId(), 3) != VERSION) {
                    throw new AssertionError("what was committed to a store of lies is gone");
                }
            }
            return ", read again";
        } catch (StorageException e) {
            checkCode(e);
            if (!isNoticed) {
                throw new AssertionError("a store that was opened and written to is refused: " + e.code(), e);
            }
            return ", " + e.code();
        }
    }
}
