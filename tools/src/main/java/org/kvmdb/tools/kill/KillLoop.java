package org.kvmdb.tools.kill;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.kvmdb.tools.ChildJvm;
import org.kvmdb.tools.kill.KillOutcome.Death;
import org.kvmdb.tools.kill.KillRecord.Phase;

/**
 * One store, and child after child that works on it and is killed. In each cycle a child opens the store, which recovers
 * it, and works; it is killed at the moment that the {@link KillCycle.Aim} says; then a copy of the store is recovered and
 * checked in this process. The copy is thrown away, so that the next child meets, and recovers, what the kill left.
 *
 * <p>In the loop's directory:
 *
 * <pre>
 *   store/       the store, as the last child left it
 *   record       what it said it had done
 *   output       what it printed
 * </pre>
 *
 * <p>Belongs to one thread. Loops in several threads, each with its own directory, use what processors there are.
 */
public final class KillLoop implements AutoCloseable {

    private static final int HANG_SECONDS = 60;
    private static final long POLL_NANOS = 200_000;
    private static final int WORK_STEPS_MAX = 60;
    private static final int WORK_MILLIS_MAX = 300;
    private static final int LAST_MICROS_MAX = 3000;
    private static final int SYSTEM_CALL_MILLIS_MAX = 250;
    private static final int ENDURANCE_STEPS = 300;
    private static final int TRAINING_STEPS = 100;
    private static final long FIRST_GUESS_NANOS = TimeUnit.MILLISECONDS.toNanos(60);

    private final KillSubject subject;
    private final Path directory;
    private final ChildArchive archive;
    private final int hangSeconds;
    private final KillRecord record;

    /** How long recovery, and close, took when they were let be: where to aim. */
    private long openNanos = FIRST_GUESS_NANOS;

    private long closeNanos = FIRST_GUESS_NANOS;

    /** @param directory an empty one */
    public KillLoop(KillSubject subject, Path directory, ChildArchive archive) throws IOException {
        this(subject, directory, archive, HANG_SECONDS);
    }

    KillLoop(KillSubject subject, Path directory, ChildArchive archive, int hangSeconds) throws IOException {
        this.subject = subject;
        this.directory = Files.createDirectories(directory);
        this.archive = archive;
        this.hangSeconds = hangSeconds;
        Files.createDirectories(temporary());
        this.record = KillRecord.create(directory.resolve("record"), subject.recordBytes());
    }

    /** Where the store lies. */
    public Path store() {
        return directory.resolve("store");
    }

    private Path temporary() {
        return directory.resolve("tmp");
    }

    /** Whether a child has made the store. */
    public boolean hasStore() {
        return Files.exists(store().resolve(StoreCopy.DATA_FILE));
    }

    /** Lets a child work for a while and end in order: it leaves the archive that others start from. */
    public void train() throws IOException, InterruptedException {
        run(KillCycle.training(), archive.trainingFlags());
    }

    /**
     * One child, its end, and the check of what it left.
     *
     * @throws KillFailure when something is wrong; the directory holds what was found, and the loop is of no more use
     */
    public KillOutcome run(KillCycle cycle) throws IOException, InterruptedException {
        return run(cycle, archive.flags());
    }

    private KillOutcome run(KillCycle cycle, List<String> flags) throws IOException, InterruptedException {
        record.reset();
        subject.prepare(cycle, store(), record);
        long startNanos = System.nanoTime();
        Death death = runChild(cycle, flags);
        long endNanos = System.nanoTime();
        if (hasStore()) {
            check(cycle);
        }
        return new KillOutcome(
                cycle, record.phase(), death, record.progress(), endNanos - startNanos, System.nanoTime() - endNanos);
    }

    private void check(KillCycle cycle) throws IOException, InterruptedException {
        try (StoreCopy copy = new StoreCopy(store(), directory.resolve("copy"))) {
            subject.check(cycle, copy.directory(), record);
        } catch (IOException | InterruptedException | KillFailure e) {
            throw e;
        } catch (Exception | AssertionError | InternalError e) {
            throw new KillFailure("the check of what was left failed with " + e, e);
        }
    }

    private Death runChild(KillCycle cycle, List<String> flags) throws IOException, InterruptedException {
        List<String> allFlags = new ArrayList<>(flags);
        // What a killed child has unpacked there is deleted with it.
        allFlags.add("-Djava.io.tmpdir=" + temporary());
        allFlags.add("-XX:ErrorFile=" + directory.resolve("hs_err.log"));
        List<String> arguments = KillChild.arguments(
                ProcessHandle.current().pid(),
                directory.resolve("record"),
                store(),
                cycle,
                subject.arguments(cycle));
        Path output = directory.resolve("output");
        try (ChildJvm child =
                ChildJvm.start(output, allFlags, archive.classPath(), subject.child(), arguments)) {
            Watch watch = new Watch(child, cycle);
            watch.untilItIsTime();
            boolean byItself = !child.isAlive();
            int code = child.kill();
            if (code == ChildJvm.KILLED && !byItself) {
                return Death.KILLED;
            }
            if (code == ChildJvm.KILLED && cycle.systemCall() != null) {
                return Death.SYSTEM_CALL;
            }
            KillFailure.check(
                    code == 0 && record.phase() == Phase.DONE && record.isStopAsked(),
                    "the child ended by itself, with code %d in phase %s: %s",
                    code, record.phase(), Files.readString(output).strip());
            return Death.IN_ORDER;
        } finally {
            emptyTemporary();
        }
    }

    private void emptyTemporary() throws IOException {
        try (Stream<Path> left = Files.list(temporary())) {
            for (Path path : (Iterable<Path>) left::iterator) {
                if (Files.isRegularFile(path)) {
                    Files.delete(path);
                }
            }
        }
    }

    @Override
    public void close() {
        record.close();
    }

    /** Waits for the moment at which a child is to die. */
    private final class Watch {

        private final ChildJvm child;
        private final KillCycle cycle;
        private final SplittableRandom random;
        private final long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(hangSeconds);

        Watch(ChildJvm child, KillCycle cycle) {
            this.child = child;
            this.cycle = cycle;
            this.random = new SplittableRandom(~cycle.seed());
        }

        /** Returns when it is, or when the child has ended. */
        void untilItIsTime() throws InterruptedException, IOException {
            switch (cycle.aim()) {
                case WORK -> {
                    untilItWorks();
                    long steps = random.nextInt(WORK_STEPS_MAX);
                    long untilNanos = System.nanoTime()
                            + TimeUnit.MILLISECONDS.toNanos(random.nextInt(1, WORK_MILLIS_MAX));
                    await("", () -> record.progress() >= steps || System.nanoTime() > untilNanos);
                    pause(TimeUnit.MICROSECONDS.toNanos(random.nextInt(LAST_MICROS_MAX)));
                }
                case RECOVERY -> {
                    await("to open the store", () -> isAt(Phase.OPENING));
                    pause(random.nextLong(openNanos * 5 / 4));
                }
                case SYSTEM_CALL -> {
                    untilItWorks();
                    long untilNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(SYSTEM_CALL_MILLIS_MAX);
                    await("", () -> System.nanoTime() > untilNanos);
                }
                case ENDURANCE -> {
                    untilItWorks();
                    await("to make progress", () -> record.progress() >= ENDURANCE_STEPS);
                }
                case CLOSE -> {
                    untilItWorks();
                    long steps = cycle.isTraining() ? TRAINING_STEPS : 1;
                    await("to make progress", () -> record.progress() >= steps);
                    closeInOrder();
                }
            }
        }

        private void untilItWorks() throws InterruptedException, IOException {
            await("to open the store", () -> isAt(Phase.OPENING));
            long beginNanos = System.nanoTime();
            await("to have recovered the store", () -> isAt(Phase.WORKING));
            openNanos = average(openNanos, System.nanoTime() - beginNanos);
        }

        private void closeInOrder() throws InterruptedException, IOException {
            record.askToStop();
            await("to close the store", () -> isAt(Phase.CLOSING));
            long beginNanos = System.nanoTime();
            if (!cycle.isTraining() && random.nextInt(4) > 0) {
                pause(random.nextLong(closeNanos * 5 / 4));
                return;
            }
            await("to have closed the store", () -> isAt(Phase.DONE));
            closeNanos = average(closeNanos, System.nanoTime() - beginNanos);
            await("to end", () -> false);
        }

        private long average(long soFar, long latest) {
            return soFar + (latest - soFar) / 4;
        }

        private boolean isAt(Phase phase) {
            return record.phase().compareTo(phase) >= 0;
        }

        /** Of no length that the child could know. */
        private void pause(long nanos) {
            LockSupport.parkNanos(nanos);
        }

        /** Waits for that, or for the child's end; invariant I8: nothing hangs. */
        private void await(String what, BooleanSupplier condition) throws InterruptedException, IOException {
            while (!condition.getAsBoolean() && child.isAlive()) {
                if (System.nanoTime() > deadlineNanos) {
                    throw new KillFailure("the child hangs: %d s after its start it is still %s, and is waited for %s%n%s"
                            .formatted(hangSeconds, record.phase(), what, child.threads()));
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
    }
}
