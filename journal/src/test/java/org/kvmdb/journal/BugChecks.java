package org.kvmdb.journal;

import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.Fault;
import org.kvmdb.journal.simulation.FaultyDevice;

/**
 * Checks that planted bugs are hunted with, by name: the harness's own devices, model and oracle over steps in which the bug
 * can show. What goes in and out are types of the JDK, for this is loaded by a loader of its own.
 */
final class BugChecks implements BiFunction<String, Long, Map<String, Object>> {

    private static final int RECOVERIES_ONE_IN = 10;

    /** Runs a check; what it tried, and what was wrong, or nothing. */
    @Override
    public Map<String, Object> apply(String check, Long seed) {
        final AtomicLong cases = new AtomicLong();
        try {
            run(check, seed, cases);
            return Map.of("cases", cases.get(), "wrong", "");
        } catch (StorageException | AssertionError e) {
            return Map.of("cases", cases.get(), "wrong", e.toString().lines().findFirst().orElse("?"));
        }
    }

    private static void run(String check, long seed, AtomicLong cases) {
        switch (check) {
            case "crash-commits" -> CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, BugChecks::commits);
            case "crash-large-commits" -> CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 4, BugChecks::largeCommits);
            case "crash-stolen-pages" -> CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, BugChecks::stolenPages);
            case "crash-reuse" -> CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, BugChecks::reuse);
            case "crash-closing" -> CrashHunt.run(cases, seed, 1, 2, BugChecks::closing);
            case "crash-versions" -> CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, BugChecks::versions);
            case "crash-cleaner" -> CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, BugChecks::cleaner);
            case "crash-names" -> CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, BugChecks::names);
            case "crash-overtaken-checkpoint" ->
                CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, BugChecks::overtakenCheckpoint);
            case "crash-forged-page" -> CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 24, ForgedPage::steps);
            case "crash-random" -> CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, work -> random(work, 60));
            case "fault-write" ->
                FaultHunt.run(cases, FaultyDevice.Operation.WRITE, Fault.EIO, BugChecks::commits);
            case "fault-flush" ->
                FaultHunt.run(cases, FaultyDevice.Operation.FLUSH, Fault.EIO, BugChecks::commits);
            case "rot-batches" -> RotHunt.batches(cases, seed, BugChecks::largeCommits);
            case "rot-blocks" -> RotHunt.blocks(cases, seed, BugChecks::closed);
            case "rot-misplaced" -> RotHunt.misplaced(cases, seed, BugChecks::closed);
            case "rot-stale" -> RotHunt.stale(cases, seed, BugChecks::cycle);
            case "rot-older" -> RotHunt.older(cases, seed, BugChecks::cycle);
            case "rot-superblock" -> RotHunt.superblock(cases, seed, BugChecks::largeCommits);
            case "rot-fork" -> RotHunt.fork(
                    cases, seed, BugChecks::commits, work -> future(work, 0, 1), work -> future(work, 4, 5));
            case "rot-last-batch" -> RotHunt.lastBatch(cases, seed, BugChecks::idle);
            case "direct-readers" -> DirectHunt.readers(cases, seed);
            case "direct-orderly-close" -> DirectHunt.orderlyClose(cases, seed);
            case "direct-cleaner-overtaken" -> DirectHunt.cleanerOvertaken(cases, seed);
            case "direct-cleaner-meets-rot" -> DirectHunt.cleanerMeetsRot(cases, seed);
            default -> throw new IllegalArgumentException("no such check: " + check);
        }
    }

    private static long[] range(int from, int count) {
        return LongStream.range(from, from + count).toArray();
    }

    // ---- steps ----

    private static void commits(Workload work) {
        work.createVolume("a", 64 << 12, 12);
        work.put("a", true, 0);
        work.put("a", true, 1, 2, 3);
        work.put("a", false, 0, 5);
        work.trim("a", false, 1);
        work.sync();
        work.put("a", true, 1, 1);
        work.trim("a", true, range(2, 40)); // its records take several sectors
        work.put("a", true, 6);
    }

    private static void largeCommits(Workload work) {
        work.createVolume("a", 128 << 12, 12);
        work.put("a", true, range(0, 60));
        work.put("a", true, 3);
        work.abandon("a", range(0, 40));
        work.put("a", true, range(20, 45));
        work.checkpoint();
        work.put("a", false, range(50, 50));
        work.put("a", true, 7);
        work.put("a", true, 8);
    }

    private static void stolenPages(Workload work) {
        work.createVolume("a", 64 << 12, 12);
        work.put("a", true, 1, 2);
        work.steal("a", range(10, 50)); // whole segments of them
        work.abandon("a", range(0, 20));
        work.checkpoint();
        work.abandon("a", range(0, 60));
        work.checkpoint();
        work.putStolen(true);
        work.steal("a", 11, 12);
        work.put("a", true, 12, 13);
        work.steal("a", 40);
        work.rollBackStolen();
        work.steal("a", 3);
        work.putStolen(false);
        work.checkpoint();
        work.put("a", true, 1);
    }

    /** Little is live and much is written, so that segments come round. */
    private static void reuse(Workload work) {
        work.createVolume("a", 16 << 12, 12);
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 6; j++) {
                work.put("a", true, range(j % 3, 12));
            }
            work.checkpoint();
        }
    }

    private static void closing(Workload work) {
        work.createVolume("a", 8 << 12, 12);
        work.put("a", true, 0);
        work.closeJournal();
        work.reopen();
        work.checkpoint();
        work.put("a", true, 1);
    }

    private static void versions(Workload work) {
        work.createVolume("a", 3000L << 12, 12);
        work.put("a", true, 0, 600, 1200, 1800, 2400);
        work.snapshot("a", "s1");
        work.put("a", true, 0, 601, 1200);
        work.checkpoint();
        work.snapshot("a", "s2");
        work.put("a", true, 1, 600, 2400);
        work.cloneSnapshot("a@s1", "c");
        work.put("c", true, 1800);
        work.deleteSnapshot("a@s2");
        work.drop(1);
        work.checkpoint();
        work.put("a", true, 0, 2400);
        work.drop(1);
        work.put("a", true, 600, 1801);
        work.checkpoint();
        work.dropAll();
        work.rollbackTo("a", "a@s1");
        work.put("a", true, 3);
        work.checkpoint();
        work.put("a", true, 4);
    }

    private static void cleaner(Workload work) {
        work.createVolume("a", 128 << 12, 12);
        for (int i = 0; i < 4; i++) {
            work.put("a", true, range(8 * i, 20));
        }
        work.checkpoint();
        work.snapshot("a", "s");
        work.put("a", true, 1, 3, 5, 7, 60);
        work.clean(3);
        work.put("a", true, 9, 11);
        work.checkpoint();
        work.clean(2);
        work.put("a", true, 9, 12);
        work.checkpoint();
        work.put("a", true, range(0, 30));
        work.checkpoint();
    }

    /** What the snapshot holds was moved, and the segments that it was in are written anew. */
    private static void names(Workload work) {
        work.createVolume("a", 32 << 12, 12);
        work.put("a", true, range(0, 20));
        work.put("a", true, range(0, 20));
        work.snapshot("a", "s");
        work.put("a", true, range(0, 20));
        work.clean(8);
        work.checkpoint();
        for (int i = 0; i < 8; i++) {
            work.put("a", true, range(0, 20));
            work.clean(8);
            work.checkpoint();
        }
    }

    private static void overtakenCheckpoint(Workload work) {
        work.createVolume("a", 64 << 12, 12);
        work.put("a", true, range(0, 10));
        for (int i = 0; i < 3; i++) {
            final int at = i;
            PlantedCode.withinCheckpoints(() -> work.put("a", true, at, 20 + at), () -> {
                work.checkpoint();
                return null;
            });
            work.put("a", true, 5);
        }
    }

    private static void random(Workload work, int steps) {
        for (int i = 0; i < steps; i++) {
            work.randomStep();
        }
    }

    private static void closed(Workload work) {
        commits(work);
        work.checkpoint();
        work.put("a", true, 9, 10);
        work.checkpoint();
        work.put("a", true, 11);
        work.put("a", true, 12);
        work.checkpoint();
    }

    /** The same again and again, so that what lies somewhere is often of the page that lay there before. */
    private static void cycle(Workload work) {
        work.createVolume("a", 4 << 12, 12);
        for (int i = 0; i < 60; i++) {
            work.put("a", true, 0);
            if (i % 4 == 3) {
                work.checkpoint();
            }
        }
        work.closeJournal();
    }

    private static void future(Workload work, long one, long other) {
        work.put("a", true, one);
        work.put("a", true, other);
    }

    private static void idle(Workload work) {
        commits(work);
        try {
            Thread.sleep(120);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        work.journal().sealIfIdle();
    }
}
