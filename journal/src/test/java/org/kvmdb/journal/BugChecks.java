package org.kvmdb.journal;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.Fault;
import org.kvmdb.journal.simulation.FaultyDevice;

/**
 * Checks that planted bugs are hunted with, by name: the harness's own devices, model and oracle over steps in which the bug
 * can show. What goes in and out are types of the JDK, for this is loaded by a loader of its own.
 */
final class BugChecks implements BiFunction<String, Long, Map<String, Object>> {

    private static final String BEHIND = "behind-";

    private static final int RECOVERIES_ONE_IN = 10;

    private static final int SEEDS_OF_CLOSING = 6;

    private interface Check {
        void run(AtomicLong cases, long seed);
    }

    private final Map<String, Check> checks = new LinkedHashMap<>();

    BugChecks() {
        add("crash-commits", (cases, seed) -> CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, BugChecks::commits));
        add("crash-large-commits", (cases, seed) ->
                CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 4, BugChecks::largeCommits));
        add("crash-stolen-pages", (cases, seed) ->
                CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, BugChecks::stolenPages));
        add("crash-reuse", (cases, seed) -> CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, BugChecks::reuse));
        add("crash-closing", (cases, seed) -> {
            for (int i = 0; i < SEEDS_OF_CLOSING; i++) { // which of its few recoveries are crashed is chance
                CrashHunt.run(cases, seed + i, 1, 2, BugChecks::closing);
            }
        });
        add("crash-versions", (cases, seed) -> CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, BugChecks::versions));
        add("crash-cleaner", (cases, seed) -> CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, BugChecks::cleaner));
        add("crash-overtaken-checkpoint", (cases, seed) ->
                CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, BugChecks::overtakenCheckpoint));
        add("crash-forged-page", (cases, seed) -> CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 16, ForgedPage::steps));
        add("crash-random", (cases, seed) ->
                CrashHunt.run(cases, seed, RECOVERIES_ONE_IN, 2, work -> random(work, 60)));
        add("fault-write", (cases, seed) -> faults(cases, seed, FaultyDevice.Operation.WRITE));
        add("fault-flush", (cases, seed) -> faults(cases, seed, FaultyDevice.Operation.FLUSH));
        add("rot-batches", (cases, seed) -> RotHunt.batches(cases, seed, BugChecks::largeCommits));
        add("rot-blocks", (cases, seed) -> RotHunt.blocks(cases, seed, BugChecks::closed));
        add("rot-misplaced", (cases, seed) -> RotHunt.misplaced(cases, seed, BugChecks::closed));
        add("rot-stale", (cases, seed) -> RotHunt.stale(cases, seed, BugChecks::cycle));
        add("rot-older", (cases, seed) -> RotHunt.older(cases, seed, BugChecks::aging));
        add("rot-superblock", (cases, seed) -> RotHunt.superblock(cases, seed, BugChecks::closedAndOn));
        add("rot-fork", (cases, seed) ->
                RotHunt.fork(cases, seed, BugChecks::commits, work -> future(work, 0, 1), work -> future(work, 4, 5)));
        add("rot-last-batch", (cases, seed) -> RotHunt.lastBatch(cases, seed, BugChecks::idle));
        add("hostile-superblocks", (cases, seed) ->
                HostileHunt.sweep(cases, seed, 3, new ReadFuzzTargets.SuperblockTarget()));
        add("hostile-metadata", (cases, seed) ->
                HostileHunt.sweep(cases, seed, 8, new ReadFuzzTargets.MetadataTarget()));
        add("hostile-nodes", (cases, seed) -> HostileHunt.sweep(cases, seed, 8, new ReadFuzzTargets.NodesTarget()));
        add("hostile-log", (cases, seed) -> HostileHunt.sweep(cases, seed, 16, new ReadFuzzTargets.LogTarget()));
        add("fault-read", BugChecks::readFaults);
        add("hostile-cut-off", (cases, seed) -> HostileHunt.cutOff(cases));
        add("direct-readers", (cases, seed) -> DirectHunt.readers(cases, seed));
        add("direct-orderly-close", (cases, seed) -> DirectHunt.orderlyClose(cases, seed));
        add("direct-cleaner-overtaken", (cases, seed) -> DirectHunt.cleanerOvertaken(cases, seed));
        add("direct-seen-during-flush", (cases, seed) -> DirectHunt.seenDuringFlush(cases, seed));
        add("direct-superblock-repaired", (cases, seed) -> DirectHunt.superblockRepaired(cases, seed));
        add("direct-names", (cases, seed) -> DirectHunt.names(cases, seed));
        add("direct-cleaner-meets-rot", (cases, seed) -> DirectHunt.cleanerMeetsRot(cases, seed));
        addBehindTheBack();
    }

    /** Looks for what a bug would leave, and has left here: all but {@code NONE} are to find something wrong. */
    private void addBehindTheBack() {
        for (BehindTheBack bug : BehindTheBack.values()) {
            add(BEHIND + bug.name(), bug::run);
        }
    }

    private void add(String name, Check check) {
        checks.put(name, check);
    }

    /** Runs a check; what it tried, and what was wrong, or nothing. Without a name: the names of all. */
    @Override
    public Map<String, Object> apply(String name, Long seed) {
        if (name.isEmpty()) {
            return Map.of("checks", List.copyOf(checks.keySet()));
        }
        final AtomicLong cases = new AtomicLong();
        try {
            checks.get(name).run(cases, seed);
            return Map.of("cases", cases.get(), "wrong", "");
        } catch (StorageException | AssertionError e) {
            return Map.of("cases", cases.get(), "wrong", e.toString().lines().findFirst().orElse("?"));
        }
    }

    /** Each operation of a kind in a workload fails once. */
    private static void faults(AtomicLong cases, long seed, FaultyDevice.Operation operation) {
        faults(cases, seed, Map.of(
                "workload", FaultScript.COMMIT.name(), "operation", operation.name(), "fault", Fault.EIO.name(),
                "persistent", "false"));
    }

    /** Each read of a recovery is wrong, in each way. */
    private static void readFaults(AtomicLong cases, long seed) {
        faults(cases, seed, Map.of(
                "workload", FaultScript.RECOVERY.name(), "operation", FaultyDevice.Operation.READ.name()));
    }

    private static void faults(AtomicLong cases, long seed, Map<String, String> options) {
        final CampaignReport report = new FaultCampaign().run(new CampaignPlan(
                CampaignPlan.Scale.VERIFY, seed, 1, null, options, (done, expected) -> {}));
        cases.addAndGet(report.casesInAll());
        if (!report.findings().isEmpty()) {
            throw new AssertionError(report.findings().getFirst().what());
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

    private static void closedAndOn(Workload work) {
        closed(work);
        work.put("a", true, 13);
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

    /** Some pages are written again and again, next to some that keep what lies in the segment in use. */
    private static void aging(Workload work) {
        work.createVolume("a", 16 << 12, 12);
        work.put("a", true, range(0, 8));
        for (int i = 0; i < 6; i++) {
            work.put("a", true, i % 3);
            work.checkpoint();
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
        work.journal().idleWork().sealIfIdle();
    }
}
