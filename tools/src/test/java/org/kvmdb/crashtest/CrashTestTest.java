package org.kvmdb.crashtest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.Store;
import org.kvmdb.StoreException;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;
import org.kvmdb.WriteAheadLog;
import org.kvmdb.crashtest.bank.BankChecker;
import org.kvmdb.crashtest.bank.BankWorkload;
import org.kvmdb.journal.simulation.Finding;
import org.kvmdb.tools.CommandRun;
import shop.Shop;
import shop.ShopChecker;

class CrashTestTest {

    @TempDir
    private Path directory;

    private CrashTest test(CrashWorkload workload, CrashChecker checker) {
        return CrashTest.of(workload, checker).seed(7).faults(0).keepIn(directory.resolve("kept"));
    }

    // begin of bank
    @Test
    void shouldNeitherMakeNorLoseMoney() {
        CrashTest.of(new BankWorkload(), new BankChecker()).steps(8).states(100).faults(20).run().assertClean();
    }
    // end of bank

    @Test
    void shouldCheckStatesOfEveryKindWhenARunIsRecorded() {
        CrashReport report = test(new BankWorkload(), new BankChecker()).steps(16).states(150).recoveries(5).run();
        report.assertClean();
        assertTrue(report.cases().keySet().stream().anyMatch(kind -> kind.contains("subset")), report::toString);
        assertTrue(report.cases().keySet().stream().anyMatch(kind -> kind.contains("torn")), report::toString);
        assertTrue(report.cases().get("power cut again in recovery") >= 5, report::toString);
        assertTrue(report.distinctStates() >= 100, report::toString);
    }

    @Test
    void shouldFindTheShortestRunWhenASaleIsCommittedInTwoHalves() throws IOException {
        CrashReport report = test(new Shop(), new ShopChecker()).run();
        assertEquals(1, report.findings().size(), report::toString);
        Finding finding = report.findings().getFirst();
        assertTrue(finding.what().startsWith("999 in stock and 0 sold, of 1000"), report::toString);
        assertTrue(finding.what().contains("issued 1, acknowledged 0"), report::toString);
        assertEquals("sale 1", finding.workload());
        assertTrue(assertThrows(AssertionError.class, report::assertClean).getMessage().contains("999 in stock"));
        CommandRun again = CommandRun.of((Object[]) finding.repeat().replaceFirst("kvmdb ", "").split(" "));
        assertEquals(1, again.exitCode());
        assertTrue(again.out().contains("999 in stock and 0 sold, of 1000"), again.out());
        Path kept = Path.of(finding.repeat().replaceFirst(".* ", ""));
        assertEquals(0, CommandRun.of("check", kept).exitCode());
        assertTrue(Files.readString(kept.resolve("marks.txt")).contains("lane 0 issued 1 acknowledged 0"));
    }

    /** A workload that promises something before it is durable. */
    private static CrashWorkload thatAcknowledgesTooEarly() {
        return workload((store, context) -> {
            MemorySegment memory = store.volume("v").memory();
            for (long step = 1; context.next(); step++) {
                memory.set(ValueLayout.JAVA_LONG, 0, step);
                context.commit(step, store::commitAsync);
            }
        });
    }

    private interface Work {
        void run(Store store, CrashContext context) throws Exception;
    }

    private static CrashWorkload workload(Work work) {
        return new CrashWorkload() {
            @Override
            public void create(Store store, CrashContext context) {
                store.createVolume("v", VolumeOptions.ofSizeBytes(16 << 10));
            }

            @Override
            public void run(Store store, CrashContext context) throws Exception {
                work.run(store, context);
            }
        };
    }

    private static final CrashChecker STEP = (store, recovered) ->
            recovered.checkStep(store.volume("v").memory().get(ValueLayout.JAVA_LONG, 0));

    @Test
    void shouldNoticeWhenSomethingIsAcknowledgedBeforeItIsDurable() {
        CrashReport report = test(thatAcknowledgesTooEarly(), STEP).states(300).run();
        assertFalse(report.isClean());
        assertTrue(report.findings().getFirst().what().contains("was acknowledged, and only"), report::toString);
    }

    @Test
    void shouldSayWhatAWorkloadThrowsWhenNothingElseFails() {
        CrashReport report = test(workload((store, context) -> store.volume("nowhere")), STEP).run();
        assertTrue(report.findings().getFirst().what().contains("NoSuchVolumeException"), report::toString);
        assertTrue(report.findings().getFirst().what().contains("the workload itself fails"), report::toString);
    }

    @Test
    void shouldKeepMarksOfLanesApartWhenThereAreSeveral() {
        CrashWorkload two = workload((store, context) -> {
            MemorySegment memory = store.volume("v").memory();
            for (long step = 1; context.next(); step++) {
                int lane = (int) (step % 2);
                memory.set(ValueLayout.JAVA_LONG, 4096L * lane, step);
                context.commit(lane, step, store::commit);
            }
        });
        test(two, (store, recovered) -> {
                    MemorySegment memory = store.volume("v").memory();
                    recovered.checkStep(0, memory.get(ValueLayout.JAVA_LONG, 0));
                    recovered.checkStep(1, memory.get(ValueLayout.JAVA_LONG, 4096));
                })
                .states(60)
                .run()
                .assertClean();
    }

    @Test
    void shouldHoldWhatWasAcknowledgedWhenTheDeviceFails() {
        CrashReport report = test(new BankWorkload(), new BankChecker()).steps(8).states(0).faults(60).run();
        report.assertClean();
        for (String kind : List.of(
                "device error at read", "device error at write", "device error at flush", "power cut after a device error")) {
            assertTrue(report.cases().getOrDefault(kind, 0L) > 0, report::toString);
        }
    }

    @Test
    void shouldNoticeWhenACommitThatFailedIsTakenForDone() {
        CrashWorkload deaf = workload((store, context) -> {
            MemorySegment memory = store.volume("v").memory();
            for (long step = 1; context.next(); step++) {
                memory.set(ValueLayout.JAVA_LONG, 0, step);
                context.issued(step);
                try {
                    store.commit();
                } catch (StoreException e) {
                    context.log("step %d fails, and is taken for done: %s".formatted(step, e));
                }
                context.acknowledged(step);
            }
        });
        test(deaf, STEP).steps(4).states(100).run().assertClean();
        CrashReport report = test(deaf, STEP).steps(4).states(0).faults(120).run();
        assertFalse(report.isClean());
        assertTrue(report.findings().getFirst().what().contains("was acknowledged, and only"), report::toString);
        assertTrue(report.findings().getFirst().workload().contains("taken for done"), report::toString);
    }

    @Test
    void shouldCheckWhatIsLeftWhenTheWorkloadIsKilled() {
        CrashReport report = test(new BankWorkload(), new BankChecker()).states(0).kills(3).run();
        report.assertClean();
        assertEquals(3, report.cases().values().stream().mapToLong(Long::longValue).sum(), report::toString);
    }

    @Test
    void shouldKeepTheStoreWhenWhatAKillLeftIsWrong() {
        CrashReport report = test(new BankWorkload(), (store, recovered) -> {
                    throw new IllegalStateException("on purpose");
                })
                .states(0)
                .kills(3)
                .run();
        Finding finding = report.findings().getFirst();
        assertTrue(finding.what().contains("on purpose"), report::toString);
        assertTrue(CrashTest.of(new BankWorkload(), new BankChecker())
                .repeat(Path.of(finding.repeat().replaceFirst(".* ", "")))
                .isClean());
    }

    /** A log of the front end's that is never behind the pages: what is durable of them was flushed to the log before. */
    @Test
    void shouldHoldTheOrderWhenThereIsAWriteAheadLogOfTheFrontEnds() {
        CrashWorkload logged = workload((store, context) -> {
            Volume volume = store.volume("v");
            AtomicLong lsn = new AtomicLong();
            volume.writeAheadLog(new WriteAheadLog() {
                @Override
                public long currentLsn() {
                    return lsn.get();
                }

                @Override
                public void flushTo(long upTo) {
                    context.issued(upTo);
                }
            });
            while (context.next()) {
                volume.memory().set(ValueLayout.JAVA_LONG, 0, lsn.incrementAndGet());
                store.commit();
                context.acknowledged(lsn.get());
            }
        });
        test(logged, STEP).states(60).run().assertClean();
    }

    @Test
    void shouldFailWithASentenceWhenAClassIsNotThere() {
        CommandRun run = CommandRun.of("crashtest", "run", "--workload", "no.Such", "--checker", "no.Such");
        assertEquals(1, run.exitCode());
        assertTrue(run.isOneSentence() && run.err().contains("--class-path"), run.err());
        run = CommandRun.of("crashtest", "run", "--workload", "java.lang.String", "--checker", "shop.ShopChecker");
        assertEquals(1, run.exitCode());
        assertTrue(run.isOneSentence() && run.err().contains("CrashWorkload"), run.err());
    }

    @Test
    void shouldRunTheExampleWhenItIsNamed() {
        CommandRun run = CommandRun.of("crashtest", "run", "bank", "--steps", 8, "--states", 20, "--faults", 10, "--kills", 1, "--dir", directory);
        assertEquals(0, run.exitCode(), run.err());
        assertTrue(run.out().contains("everything held"), run.out());
    }
}
