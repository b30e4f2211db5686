package org.kvmdb.crashtest;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.kvmdb.Store;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.tools.kill.ChildArchive;
import org.kvmdb.tools.kill.KillCycle;
import org.kvmdb.tools.kill.KillFailure;
import org.kvmdb.tools.kill.KillLoop;
import org.kvmdb.tools.kill.KillRecord;
import org.kvmdb.tools.kill.KillSubject;

/**
 * Kills the workload in processes of its own, over and over on the same store, and has what is left checked.
 *
 * @param kills how many
 * @param classPath of the children, besides that of this process
 */
record KillTest(Subject subject, Findings findings, CampaignTally tally, int kills, int threads, String classPath) {

    private static final String DATA_FILE = "store.kvmdb";
    /** Children start in half the time then. */
    private static final int KILLS_WORTH_TRAINING = 40;

    void run(Path directory) throws IOException, InterruptedException {
        String all = System.getProperty("java.class.path") + (classPath.isEmpty() ? "" : File.pathSeparator + classPath);
        ChildArchive archive = ChildArchive.in(directory.resolve("archive"), all);
        if (kills >= KILLS_WORTH_TRAINING) {
            try (KillLoop loop = new KillLoop(new Killed(subject), directory.resolve("training"), archive)) {
                loop.train();
            }
        }
        AtomicInteger begun = new AtomicInteger();
        Shares.run(threads, share -> {
            Killed killed = new Killed(subject);
            try (KillLoop loop = new KillLoop(killed, directory.resolve("killed-" + share), archive)) {
                for (int number = begun.getAndIncrement();
                        number < kills && tally.hasNoFindings();
                        number = begun.getAndIncrement()) {
                    kill(loop, killed, number);
                }
            }
        });
    }

    private void kill(KillLoop loop, Killed killed, int number) throws IOException, InterruptedException {
        try {
            tally.add(loop.run(KillCycle.of(number, subject.seed())).kind());
        } catch (KillFailure e) {
            Path file = loop.store().resolve(DATA_FILE);
            byte[] image = Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
            tally.found(findings.of(
                    "kill-" + number,
                    "a kill",
                    killed.recovered,
                    e.getCause() == null ? e : e.getCause(),
                    image,
                    List.of()));
        }
    }

    /** The workload in a loop of kills; used by one thread. */
    private static final class Killed implements KillSubject {

        private final Subject subject;
        /** What held at the last check. */
        private Recovered recovered;

        Killed(Subject subject) {
            this.subject = subject;
            this.recovered = new Recovered(
                    subject.seed(), new long[CrashContext.LANES], new long[CrashContext.LANES]);
        }

        @Override
        public Class<?> child() {
            return KilledWorkload.class;
        }

        @Override
        public List<String> arguments(KillCycle cycle) {
            return List.of(subject.workload().getClass().getName(), Long.toString(subject.seed()));
        }

        @Override
        public long recordBytes() {
            return SharedMarks.BYTES;
        }

        @Override
        public void prepare(KillCycle cycle, Path store, KillRecord record) {}

        @Override
        public void check(KillCycle cycle, Path store, KillRecord record) throws Exception {
            SharedMarks marks = new SharedMarks(record.body());
            recovered = marks.recovered(subject.seed());
            if (!marks.isCreated()) {
                return;
            }
            try (Store opened = Store.open(store, subject.workload().options())) {
                subject.checker().check(opened, recovered);
            }
        }
    }
}
