package org.kvmdb.tools.kill;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Finding;
import org.kvmdb.tools.TemporaryDirectory;

/**
 * SIGKILL, thousands of times: several stores side by side, each under a {@link KillLoop} of its own. Its cases depend on
 * timing; what is done to which store follows from the seed.
 *
 * <p>Options: {@code cycles}, {@code minutes} (which ends it, however many cycles there were), {@code keep} (where stores
 * are kept that were found wrong).
 */
public final class KillCampaign implements Campaign {

    static final String NAME = "kill";

    private static final int STORE_CYCLES_MIN = 16;
    private static final int STORE_CYCLES_DOUBLINGS = 6;
    private static final Path MEMORY = Path.of("/dev/shm");
    private static final long MEMORY_BYTES_MIN = 512L << 20;

    /** Some stores are full at times, some are not. */
    private static final long[] MAX_SIZES_BYTES = {12L << 20, 16L << 20, 64L << 20};

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String description() {
        return "SIGKILL to a process that works on a store with several threads, at random times, at chosen system calls,"
                + " during recovery and close: what was acknowledged is there, of what was not nothing is there in part.";
    }

    @Override
    public CampaignReport run(CampaignPlan plan) {
        try {
            return new Run(plan).run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private static final class Run {

        private final CampaignPlan plan;
        private final CampaignTally tally;
        private final int cycles;
        private final long deadlineNanos;
        private final AtomicInteger begun = new AtomicInteger();
        private final KillFigures figures = new KillFigures();
        private final AtomicLong childNanos = new AtomicLong();
        private final AtomicLong checkNanos = new AtomicLong();
        private final List<Throwable> broken = new ArrayList<>();
        private ChildArchive archive;

        Run(CampaignPlan plan) {
            this.plan = plan;
            this.tally = new CampaignTally(NAME, plan);
            String minutes = plan.options().get("minutes");
            String wanted = plan.options().get("cycles");
            this.cycles = minutes != null
                    ? Integer.MAX_VALUE
                    : wanted != null ? Integer.parseInt(wanted) : plan.size(12, 220, 10_000);
            this.deadlineNanos = minutes == null
                    ? Long.MAX_VALUE
                    : System.nanoTime() + TimeUnit.MINUTES.toNanos(Long.parseLong(minutes));
        }

        CampaignReport run() throws IOException, InterruptedException {
            tally.expect(cycles == Integer.MAX_VALUE ? 0 : cycles);
            archive = ChildArchive.in(plan.directory().resolve("archive"));
            train();
            try (TemporaryDirectory memory = inMemory()) {
                runLanes(memory);
            }
            if (!broken.isEmpty()) {
                throw new IllegalStateException("a kill loop broke down", broken.getFirst());
            }
            note();
            return tally.report();
        }

        /** Where flushes cost nothing, and more is done until the kill; null where there is no room. */
        private static TemporaryDirectory inMemory() throws IOException {
            return Files.isDirectory(MEMORY) && MEMORY.toFile().getUsableSpace() > MEMORY_BYTES_MIN
                    ? TemporaryDirectory.create(MEMORY, "kvmdb-kill-")
                    : null;
        }

        /** One more than processors: a child waits for the disk at times, and its parent for the child. */
        private void runLanes(TemporaryDirectory memory) throws InterruptedException {
            List<Thread> lanes = new ArrayList<>();
            lanes.add(Thread.ofPlatform().name("kill-commands").start(() -> run(this::killCommands)));
            for (int lane = 0; lane <= plan.threads(); lane++) {
                int index = lane;
                Path base = memory != null && lane % 2 == 1 ? memory.path() : plan.directory();
                lanes.add(Thread.ofPlatform().name("kill-" + lane).start(() -> run(() -> runLane(index, base))));
            }
            for (Thread lane : lanes) {
                lane.join();
            }
        }

        /** Work of a thread. */
        private interface Work {
            void run() throws IOException, InterruptedException;
        }

        private void run(Work work) {
            try {
                work.run();
            } catch (IOException | InterruptedException | RuntimeException | Error e) {
                synchronized (broken) {
                    broken.add(e);
                }
            }
        }

        private void train() throws IOException, InterruptedException {
            try (KillLoop loop = loop(plan.directory().resolve("training"), plan.seed(), MAX_SIZES_BYTES[2])) {
                loop.train();
            }
        }

        private KillLoop loop(Path directory, long seed, long maxSizeBytes) throws IOException {
            return new KillLoop(new StoreSubject(seed, maxSizeBytes, figures), directory, archive);
        }

        private void runLane(int lane, Path base) throws IOException, InterruptedException {
            for (int store = 0; goesOn(); store++) {
                runStore(lane, store, base);
            }
        }

        private boolean goesOn() {
            return begun.get() < cycles && System.nanoTime() < deadlineNanos && !tally.isFullOfFindings();
        }

        /** Cycle after cycle on one store, until the end or until something is wrong with it. */
        private void runStore(int lane, int store, Path base) throws IOException, InterruptedException {
            long seed = CampaignTally.mix(plan.seed() + CampaignTally.mix(lane * 1000L + store));
            try (TemporaryDirectory directory = TemporaryDirectory.create(base, "store-" + lane + "-");
                    KillLoop loop = loop(directory.path().resolve("loop"), seed, MAX_SIZES_BYTES[(lane + store) % MAX_SIZES_BYTES.length])) {
                boolean isRight = true;
                // Old stores have seen most, young ones are created: so some live long and some do not.
                int life = STORE_CYCLES_MIN << Math.floorMod(seed, STORE_CYCLES_DOUBLINGS);
                while (isRight && goesOn() && life-- > 0) {
                    int number = begun.getAndIncrement();
                    KillCycle cycle = loop.hasStore()
                            ? KillCycle.of(number, plan.seed())
                            : KillCycle.ofCreation(number, plan.seed());
                    isRight = number >= cycles || cycle(loop, cycle, directory.path());
                }
            }
        }

        private void killCommands() throws IOException, InterruptedException {
            Path directory = plan.directory().resolve("commands");
            CommandSubject subject = new CommandSubject(directory.resolve("files"), plan.seed());
            try (KillLoop loop = new KillLoop(subject, directory, archive)) {
                int count = plan.scale() == CampaignPlan.Scale.SMOKE ? 2 : Math.max(12, cycles / 80);
                boolean isRight = true;
                for (int number = 0; isRight && number < count && System.nanoTime() < deadlineNanos; number++) {
                    isRight = cycle(loop, KillCycle.ofCommand(number, plan.seed()), directory);
                }
            }
        }

        /** Returns whether nothing was wrong. */
        private boolean cycle(KillLoop loop, KillCycle cycle, Path directory)
                throws IOException, InterruptedException {
            try {
                count(loop.run(cycle));
                return true;
            } catch (KillFailure e) {
                found(e, cycle, directory);
                return false;
            }
        }

        private void count(KillOutcome outcome) {
            tally.add(outcome.kind());
            childNanos.addAndGet(outcome.childNanos());
            checkNanos.addAndGet(outcome.checkNanos());
        }

        private void found(KillFailure failure, KillCycle cycle, Path directory) throws IOException {
            Path kept = keep(directory);
            StringBuilder what = new StringBuilder("%s (cycle %d, aimed at %s%s; kept in %s)".formatted(
                    failure.getMessage(),
                    cycle.number(),
                    cycle.aim(),
                    cycle.systemCall() == null ? "" : " " + cycle.systemCall(),
                    kept));
            for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
                what.append("\n  ").append(cause);
                Stream.of(cause.getStackTrace()).limit(12).forEach(frame -> what.append("\n    at ").append(frame));
            }
            tally.found(new Finding(
                    what.toString(),
                    "kvmdb crashtest kill --seed %d --cycles %d".formatted(plan.seed(), Math.min(cycles, 10_000)),
                    ""));
        }

        /** Copies what a loop worked on to where nobody deletes it. */
        private Path keep(Path directory) throws IOException {
            String wanted = plan.options().get("keep");
            Path base = wanted != null ? Path.of(wanted) : plan.directory().toAbsolutePath().getParent();
            Files.createDirectories(base);
            Path kept = Files.createTempDirectory(base, "kvmdb-kill-");
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : (Iterable<Path>) files::iterator) {
                    Path target = kept.resolve(directory.relativize(file).toString());
                    if (Files.isDirectory(file)) {
                        Files.createDirectories(target);
                    } else if (Files.isRegularFile(file)) {
                        Files.copy(file, target);
                    }
                }
            }
            return kept;
        }

        private void note() {
            long count = Math.max(1, tally.report().casesInAll());
            figures.forEach((name, number) -> tally.note(name, "%,d".formatted(number)));
            tally.note("child, ms per cycle", Long.toString(childNanos.get() / count / 1_000_000));
            tally.note("check, ms per cycle", Long.toString(checkNanos.get() / count / 1_000_000));
        }
    }
}
