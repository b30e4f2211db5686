package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.kvmdb.journal.simulation.CrashStates;
import org.kvmdb.journal.simulation.RecordingDevice;

/**
 * Whatever a crash leaves of what was being written, opening the store finds a prefix of the commits that holds all the
 * acknowledged ones, each wholly; also when the crash hits a recovery.
 */
class CrashStateTest {

    private static final int RECOVERIES_CRASHED_ONE_IN = 40;
    private static final int STEPS = 60;

    private static final class Run {
        private final String name;
        private final long seed;
        private final StoreModel model;
        private final SplittableRandom random;
        private final int recoveriesOneIn;
        private int states;
        private int recoveryStates;

        Run(String name, long seed, StoreModel model, int recoveriesOneIn) {
            this.name = name;
            this.seed = seed;
            this.model = model;
            this.recoveriesOneIn = recoveriesOneIn;
            random = new SplittableRandom(seed);
        }

        void check(CrashStates.State state) {
            states++;
            try {
                final Device device = state.materialize();
                check(device, state.acked(), state.issued());
                if (random.nextInt(recoveriesOneIn) == 0) {
                    crashRecovery(state);
                }
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("run %s, seed %d, state %d (acked=%d issued=%d, %d writes left): %s".formatted(
                        name, seed, state.number(), state.acked(), state.issued(), state.left().size(), e), e);
            }
        }

        private int check(Device device, int acked, int issued) {
            try (Journal journal = Journal.open(device, Workload.tinyOptions().withRandom(random.split()))) {
                final int found = model.commitOf(StoreModel.read(journal), acked, issued);
                SpaceCheck.check(journal);
                return found;
            }
        }

        /** A process was killed, the next one recovered, and then the power went: at any of the recovery's own writes. */
        private void crashRecovery(CrashStates.State state) {
            final List<RecordingDevice.Event> cached =
                    state.left().stream().filter(left -> left.sectors() == null).map(RecordingDevice.Left::write).toList();
            final RecordingDevice device = RecordingDevice.killed(state.durable(), state.sizeBytes(), cached);
            final int found = check(device, state.acked(), state.issued());
            device.acked(found);
            device.dispose();
            final CrashStates crashes = new CrashStates(device, random.nextLong(), 3, 2, crashed -> {
                if (random.nextInt(recoveriesOneIn == 1 ? 6 : 4) == 0) {
                    recoveryStates++;
                    final int again = check(crashed.materialize(), crashed.acked(), crashed.issued());
                    if (recoveryStates % 8 == 0) {
                        check(crashed.materialize(), again, again);
                    }
                }
            });
            crashes.walk(0, state.acked(), state.issued());
        }
    }

    private static Run crash(String name, long seed, Consumer<Workload> body) {
        return crash(name, seed, RECOVERIES_CRASHED_ONE_IN, body);
    }

    private static Run crash(String name, long seed, int recoveriesOneIn, Consumer<Workload> body) {
        final RecordingDevice device = new RecordingDevice(new MemoryDevice(name));
        try (Workload workload = new Workload(device, Workload.tinyOptions(), seed)) {
            workload.create();
            final int begin = device.events().size();
            body.accept(workload);
            final Run run = new Run(name, seed, workload.model(), recoveriesOneIn);
            new CrashStates(device, seed, 8, 2, run::check).walk(begin, 0, 0);
            System.out.printf("%s, seed %d: %d commits, %d crash states, %d of recoveries%n",
                    name, seed, workload.model().lastCommit(), run.states, run.recoveryStates);
            return run;
        } finally {
            device.dispose();
        }
    }

    private static long[] lpns(int from, int count) {
        final long[] result = new long[count];
        for (int i = 0; i < count; i++) {
            result[i] = from + i;
        }
        return result;
    }

    @Test
    void shouldFindAPrefixOfCommitsWhenSmallCommitsAreTorn() {
        crash("small commits", 1, work -> {
            work.createVolume("a", 64 << 12, 12);
            work.put("a", true, 0);
            work.put("a", true, 1, 2, 3);
            work.put("a", false, 0, 5);
            work.put("a", false, 6);
            work.trim("a", false, 1);
            work.sync();
            work.put("a", true, 1, 1);
            work.trim("a", true, 2, 40);
        });
    }

    @Test
    void shouldFindAPrefixOfCommitsWhenCommitsSpanSegments() {
        crash("large commits", 2, work -> {
            work.createVolume("a", 128 << 12, 12);
            work.put("a", true, lpns(0, 60));
            work.put("a", true, 3);
            work.abandon("a", lpns(0, 40));
            work.put("a", true, lpns(20, 45));
            work.checkpoint();
            work.put("a", false, lpns(50, 50));
            work.put("a", true, 7);
        });
    }

    @Test
    void shouldFindAPrefixOfCommitsWhenPagesWereStolen() {
        crash("stolen pages", 3, work -> {
            work.createVolume("a", 64 << 12, 12);
            work.createVolume("b", 64 << 12, 13);
            work.put("a", true, 1, 2);
            work.steal("a", lpns(10, 20));
            work.steal("b", 1, 2);
            work.checkpoint();
            work.steal("a", 11, 12);
            work.put("a", true, 12, 13);
            work.steal("a", 40);
            work.rollBackStolen();
            work.steal("b", 3);
            work.putStolen(false);
            work.checkpoint();
            work.checkpoint();
            work.put("b", true, 1);
        });
    }

    @Test
    void shouldFindAPrefixOfCommitsWhenVolumesChange() {
        crash("volumes", 4, work -> {
            work.createVolume("a", 64 << 12, 12);
            work.createVolume("b", 600L << 12, 12);
            work.put("b", true, lpns(500, 40));
            work.checkpoint();
            work.resizeVolume("b", 520L << 12);
            work.put("b", true, 519);
            work.resizeVolume("b", 700L << 12);
            work.put("a", false, 1);
            work.deleteVolume("b");
            work.createVolume("b", 8 << 12, 13);
            work.put("b", true, 0);
            work.checkpoint();
            work.deleteVolume("a");
        });
    }

    /** Deleted in pieces, with checkpoints in between, while the head that inherits is written. */
    @Test
    void shouldFindAPrefixOfCommitsWhenSnapshotsAreDeleted() {
        crash("deletion", 8, work -> {
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
            work.deleteVolume("c");
            work.drop(1);
            work.rollbackTo("a", "a@s1");
            work.put("a", true, 3);
            work.deleteSnapshot("a@s1");
            work.dropAll();
            work.checkpoint();
            work.put("a", true, 4);
        });
    }

    @Test
    void shouldFindAPrefixOfCommitsWhenTheStoreIsClosedAndReopened() {
        crash("reopened", 5, work -> {
            work.createVolume("a", 64 << 12, 12);
            for (int i = 0; i < 5; i++) {
                work.put("a", true, i, i + 1);
                work.closeJournal();
                work.reopen();
                work.put("a", true, i);
                work.put("a", false, i + 7);
                work.kill();
                work.reopen();
            }
            work.closeJournal();
            work.reopen();
            work.closeJournal();
        });
    }

    /** Killed, and the power went after the next opening: every state of every recovery. */
    @Test
    void shouldFindAPrefixOfCommitsWhenTheRecoveryAfterAKillIsCutOff() {
        crash("closing", 7, 1, work -> {
            work.createVolume("a", 8 << 12, 12);
            work.put("a", true, 0);
            work.closeJournal();
            work.reopen();
            work.checkpoint();
        });
    }

    private static void cleaned(Workload work) {
        work.createVolume("a", 128 << 12, 12);
        work.createVolume("b", 64 << 12, 13);
        for (int i = 0; i < 6; i++) {
            work.put("a", true, lpns(8 * i, 20));
            work.put("b", true, lpns(3 * i, 6));
        }
        work.checkpoint();
        work.put("a", true, 1, 3, 5, 7, 60);
        work.clean(3);
        work.put("a", true, 9, 11);
        work.checkpoint();
        work.clean(2);
        work.put("a", true, 9, 12);
        work.steal("b", 1, 2);
        work.clean(2);
        work.putStolen(true);
        work.checkpoint();
        work.put("a", true, lpns(0, 30));
        work.checkpoint();
    }

    @Test
    void shouldFindAPrefixOfCommitsWhenTheCleanerIsCutOff() {
        crash("cleaner", 8, CrashStateTest::cleaned);
    }

    /** A planted bug: the segment that was cleaned is reused before a checkpoint says that it is free. */
    @Test
    void shouldNoticeWhenASegmentIsFreedTooEarly() {
        final AssertionError caught = assertThrows(AssertionError.class, () -> crash("freed early", 9, work -> {
            work.createVolume("a", 128 << 12, 12);
            work.put("a", true, lpns(0, 60));
            work.checkpoint();
            work.put("a", true, lpns(0, 10));
            final SegmentTable segments = work.journal().parts().segments();
            final int victim = work.journal().mover().census().segments()[0];
            work.clean(8);
            while (segments.live(victim) > 0) {
                work.clean(8);
            }
            segments.free(victim);
            work.put("a", true, lpns(60, 60));
        }));
        assertTrue(caught.getMessage().contains("state "), caught.getMessage());
    }

    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14})
    void shouldFindAPrefixOfCommitsWhenStepsAreRandom(long seed) {
        crash("random", seed, work -> {
            for (int i = 0; i < STEPS; i++) {
                work.randomStep();
            }
        });
    }

    @Test
    void shouldNoticeWhenAFlushIsSkipped() {
        final AssertionError caught = assertThrows(AssertionError.class, () -> crash("canary", 6, work -> {
            work.createVolume("a", 64 << 12, 12);
            work.put("a", true, 0);
            ((RecordingDevice) work.device()).ignoreFlushes(1);
            work.put("a", true, 1);
            work.put("a", true, 2);
        }));
        assertTrue(caught.getMessage().contains("state "), caught.getMessage());
    }
}
