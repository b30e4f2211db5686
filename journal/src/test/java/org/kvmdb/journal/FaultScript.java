package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * Workloads that faults are put into: what is done before, and what is done while the device fails. All of it fits a
 * store of a few segments, so that each operation of the device can fail once.
 */
enum FaultScript {

    /** Making a store, and its first commits. */
    CREATE(null, false, work -> {
        work.create();
        work.createVolume("a", 64 << 12, 12);
        work.put("a", true, 0, 1, 2);
        work.closeJournal();
    }),

    /** Commits of all kinds, large ones over several segments, thefts, groups that are given up. */
    COMMIT(work -> {
        work.createVolume("a", 64 << 12, 12);
        work.put("a", true, 0, 1, 2, 3);
    }, false, work -> {
        work.put("a", true, 1, 5);
        work.put("a", false, 4);
        work.trim("a", false, 2);
        work.sync();
        work.steal("a", 7, 8, 9);
        work.put("a", true, 8, 10);
        work.abandon("a", range(20, 20));
        work.put("a", true, range(10, 40));
        work.steal("a", 50, 51);
        work.putStolen(true);
    }),

    /** Checkpoints with commits between, volumes that come, change and go, an orderly close. */
    CHECKPOINT(work -> {
        work.createVolume("a", 2000L << 12, 12);
        work.put("a", true, 0, 600, 1200);
    }, false, work -> {
        work.checkpoint();
        work.put("a", true, 1, 600);
        work.resizeVolume("a", 900L << 12);
        work.createVolume("b", 8 << 13, 13);
        work.steal("b", 3, 4);
        work.checkpoint();
        work.put("b", true, 4, 5);
        work.deleteVolume("a");
        work.dropAll();
        work.checkpoint();
        work.put("b", true, 1);
        work.closeJournal();
    }),

    /** Recovery of a log with a tail over several segments, after a kill, after a close, and of itself. */
    RECOVERY(work -> {
        work.createVolume("a", 900L << 12, 12);
        work.put("a", true, 0, 600);
        work.snapshot("a", "s");
        work.checkpoint();
        work.steal("a", 3, 4);
        work.put("a", true, 2, 4);
        work.createVolume("b", 8 << 15, 15);
        work.put("b", true, 0, 1, 2, 3);
        work.put("a", false, 7);
        work.put("b", true, 2, 3);
    }, true, work -> {
        work.reopen();
        work.put("a", true, 1);
        work.put("b", true, 2);
        work.kill();
        work.reopen();
        work.closeJournal();
        work.reopen();
    }),

    /** Blocks are moved, some of them held by a snapshot, and what they left becomes free. */
    CLEANING(work -> {
        work.createVolume("a", 900L << 14, 14);
        work.put("a", true, range(0, 6));
        work.put("a", true, 600, 601);
        work.snapshot("a", "s");
        work.put("a", true, range(0, 3));
        work.put("a", true, range(2, 3));
        work.put("a", true, 600);
        work.checkpoint();
    }, false, work -> {
        work.clean(2);
        work.put("a", true, 3);
        work.clean(2);
        work.checkpoint();
        work.checkpoint();
        work.put("a", true, range(0, 5));
        work.clean(1);
    }),

    /** Snapshots and volumes are deleted in pieces, with checkpoints and commits between. */
    DELETION(work -> {
        work.createVolume("a", 3000L << 12, 12);
        work.put("a", true, 0, 600, 1200, 1800, 2400);
        work.snapshot("a", "s1");
        work.put("a", true, 0, 601, 1200);
        work.snapshot("a", "s2");
        work.put("a", true, 1, 600, 2400);
        work.checkpoint();
    }, false, work -> {
        work.deleteSnapshot("a@s1");
        work.drop(1);
        work.checkpoint();
        work.drop(2);
        work.put("a", true, 600, 1800);
        work.deleteSnapshot("a@s2");
        work.drop(2);
        work.checkpoint();
        work.dropAll();
        work.deleteVolume("a");
        work.drop(3);
        work.checkpoint();
        work.dropAll();
        work.checkpoint();
    }),

    /** Snapshots are taken, cloned and rolled back to. */
    VERSIONS(work -> {
        work.createVolume("a", 900L << 12, 12);
        work.put("a", true, 0, 1, 600);
        work.checkpoint();
    }, false, work -> {
        work.snapshot("a", "s1");
        work.put("a", true, 1, 601);
        work.cloneSnapshot("a@s1", "c");
        work.put("c", true, "s2", 0, 2);
        work.checkpoint();
        work.steal("a", 5);
        work.rollbackTo("a", "a@s1");
        work.put("a", true, 600);
        work.checkpoint();
        work.dropAll();
        work.rollbackTo("c", "c@s2");
        work.put("c", true, 2);
    }),

    /** Snapshots are sent and received, whole and as a difference. */
    STREAM(work -> {
        work.createVolume("a", 900L << 12, 12);
        work.put("a", true, range(0, 6));
        work.snapshot("a", "s1");
        work.put("a", true, 1, 600, 601);
        work.trim("a", true, 3);
        work.snapshot("a", "s2");
        work.checkpoint();
    }, false, work -> {
        work.sendAndReceive("a@s2", "r");
        work.put("a", true, 2);
        work.checkpoint();
        work.sendAndReceive("a@s1", "q");
    }),

    /** Segments are written ahead, freed, given back to the disk, and taken again. */
    SPACE(work -> {
        work.createVolume("a", 200L << 12, 12);
        work.put("a", true, range(0, 60));
        work.put("a", true, range(0, 60));
        work.put("a", true, range(0, 60));
        work.checkpoint();
    }, false, work -> {
        work.journal().punchFreeSegments(0, 6);
        work.journal().idleWork().prepareNextSegment();
        work.put("a", true, 1, 2);
        work.journal().idleWork().prepareNextSegment();
        work.put("a", true, range(20, 60));
        work.journal().idleWork().prepareNextSegment();
        work.put("a", true, range(20, 60));
        work.checkpoint();
        work.journal().punchFreeSegments(1, 4);
        work.put("a", true, range(0, 90));
        work.put("a", true, 5);
    }),

    /** All blocks are read from the device and verified, then all pages through the map, then a snapshot is sent. */
    SCRUB(work -> {
        work.createVolume("a", 900L << 12, 12);
        work.put("a", true, 0, 1, 2, 600);
        work.snapshot("a", "s");
        work.put("a", true, 1, 601);
        work.checkpoint();
        work.put("a", true, 2);
    }, false, work -> {
        verifyBlocks(work.journal());
        StoreModel.read(work.journal());
        work.put("a", true, 3);
        TestStreams.send(work.journal(), work.journal().versions().snapshot("a", "s"), null);
        verifyBlocks(work.journal());
    });

    private final Consumer<Workload> before;
    private final boolean opensFaulty;
    private final Consumer<Workload> body;

    FaultScript(Consumer<Workload> before, boolean opensFaulty, Consumer<Workload> body) {
        this.before = before;
        this.opensFaulty = opensFaulty;
        this.body = body;
    }

    /** Whether there is a store before. */
    boolean hasStore() {
        return before != null;
    }

    /** Whether the body begins with opening the store; else it is open by then. */
    boolean opensFaulty() {
        return opensFaulty;
    }

    /** Makes the store, and leaves it as a process that was killed. */
    void prepare(Workload work) {
        if (before != null) {
            work.create();
            before.accept(work);
            work.kill();
        }
    }

    void run(Workload work) {
        body.accept(work);
    }

    private static long[] range(int from, int count) {
        return LongStream.range(from, from + count).toArray();
    }

    /** What a scrub does: every block of the store, past the caches. */
    private static void verifyBlocks(Journal journal) {
        record Block(BlockOwner owner, long lpn, long ppn) {}

        final BlockSurvey survey = journal.survey();
        final BlockVerifier verifier = survey.newVerifier();
        String wrong = null;
        for (Version version : journal.versions().all()) {
            final List<Block> blocks = new ArrayList<>();
            long lpn = 0;
            while (lpn >= 0) {
                lpn = survey.own(version, lpn, 100, (owner, at, ppn) -> blocks.add(new Block(owner, at, ppn)))
                        .nextLpn();
            }
            for (Block block : blocks) {
                wrong = verify(survey, verifier, block.owner, block.lpn, block.ppn);
                if (wrong != null) {
                    throw new StorageException(ErrorCode.CORRUPT_PAGE, wrong);
                }
            }
        }
    }

    private static String verify(
            BlockSurvey survey, BlockVerifier verifier, BlockOwner owner, long lpn, long ppn) {
        final int length = org.kvmdb.ffi.Ppn.lengthBytes(ppn);
        final long from = survey.position(ppn) & -BatchDescriptor.UNIT_BYTES;
        final int behind = (int) (survey.position(ppn) - from);
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment window = arena.allocate(
                    Fields.alignUp(behind + length, BatchDescriptor.UNIT_BYTES), BatchDescriptor.UNIT_BYTES);
            return survey.read(from, window) < behind + length
                    ? "device ends within the block"
                    : verifier.verify(owner, lpn, ppn, 0, window.asSlice(behind, length));
        }
    }
}
