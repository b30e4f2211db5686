package org.kvmdb.journal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Finding;
import org.kvmdb.journal.simulation.WriteLog;

/**
 * What crashes can leave of many workloads: those that were thought out, long ones by chance, and every sequence of up to
 * three operations; unless everything is to be run, it ends when there are states enough.
 *
 * <p>Options: {@code workload}, a name or steps, runs that alone; {@code state}, the hash of an image, looks at that state
 * of it alone, with all that is else done to some states only; {@code export}, a file, writes what the workload did in the
 * format of dm-log-writes.
 */
public final class CrashStatesCampaign implements Campaign {

    static final String NAME = "crash-states";

    private static final int RANDOM_STEPS = 40;
    private static final int RANDOM_STEPS_SMOKE = 10;
    private static final int SHRUNK_MAX = 3;
    private static final int SHRINKING_RUNS_MAX = 400;

    private final BiConsumer<Workload, Step> beforeStep;

    public CrashStatesCampaign() {
        this((work, step) -> {});
    }

    /** With something that is done before each step, as to plant a bug. */
    CrashStatesCampaign(BiConsumer<Workload, Step> beforeStep) {
        this.beforeStep = beforeStep;
    }

    /** A workload and what is to be looked at of it. */
    private interface Job {
        void run(CrashScenario scenario);
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String description() {
        return "whatever a crash leaves of what was being written, opening finds a prefix of the commits that holds all"
                + " acknowledged ones";
    }

    @Override
    public CampaignReport run(CampaignPlan plan) {
        return new Run(plan, beforeStep).run();
    }

    /** One run of it. */
    private static final class Run {
        private final CampaignPlan plan;
        private final BiConsumer<Workload, Step> beforeStep;
        private final CampaignTally tally;
        private final CheckedImages images = new CheckedImages();
        private final AtomicLong states = new AtomicLong();
        private final AtomicLong impossible = new AtomicLong();
        private final AtomicLong workloads = new AtomicLong();
        private final AtomicLong shrunk = new AtomicLong();
        private final long target;

        Run(CampaignPlan plan, BiConsumer<Workload, Step> beforeStep) {
            this.plan = plan;
            this.beforeStep = beforeStep;
            tally = new CampaignTally(NAME, plan);
            target = plan.size(500, 50_000, Integer.MAX_VALUE);
        }

        CampaignReport run() {
            final String workload = plan.options().get("workload");
            if (workload != null) {
                runOne(NamedWorkloads.stepsOf(workload), plan.options().get("state"));
            } else {
                runAll(jobs());
            }
            final long[] byKind = images.countsByKind(StateCheck.KINDS);
            for (int i = 0; i < byKind.length; i++) {
                if (byKind[i] > 0) {
                    tally.add(StateCheck.kindName(i), byKind[i]);
                }
            }
            tally.note(
                    "workloads",
                    "%d, and %d sequences that are not possible".formatted(workloads.get(), impossible.get()));
            tally.note("states", "%d, of which many are the same image".formatted(states.get()));
            return tally.report();
        }

        // ---- which workloads ----

        private List<Job> jobs() {
            final List<Job> jobs = new ArrayList<>();
            jobs.add(CrashScenario::create);
            for (int i = 0; i < plan.size(1, 8, 200); i++) {
                jobs.add(scenario -> {
                    scenario.create();
                    scenario.checkFromHere();
                    scenario.runRandom(plan.size(RANDOM_STEPS_SMOKE, RANDOM_STEPS, RANDOM_STEPS));
                });
            }
            final boolean isSmoke = plan.scale() == CampaignPlan.Scale.SMOKE;
            for (String name : isSmoke ? List.of("small-commits") : NamedWorkloads.names()) {
                jobs.add(scenario -> {
                    scenario.create();
                    scenario.checkFromHere();
                    scenario.run(NamedWorkloads.steps(name));
                });
            }
            for (int length = 1; length <= StepSequences.LENGTH_MAX; length++) {
                addSequences(jobs, length);
            }
            return jobs;
        }

        /** All sequences of a length, in an order by chance. */
        private void addSequences(List<Job> jobs, int length) {
            final int count = StepSequences.count(length);
            final int[] order = new int[count];
            final SplittableRandom random = new SplittableRandom(plan.seed() + length);
            for (int i = 0; i < count; i++) {
                final int j = random.nextInt(i + 1);
                order[i] = order[j];
                order[j] = i;
            }
            for (int number : order) {
                jobs.add(scenario -> runSequence(scenario, length, number));
            }
        }

        /** Only the last operation's states are looked at: the others are those of a shorter sequence. */
        private void runSequence(CrashScenario scenario, int length, int number) {
            scenario.create();
            scenario.run(StepSequences.BEGINNING);
            final List<List<Step>> operations = StepSequences.sequence(length, number);
            for (int i = 0; i < length; i++) {
                if (i == length - 1) {
                    scenario.checkFromHere();
                }
                scenario.run(operations.get(i));
            }
        }

        // ---- running them ----

        private boolean isEnough() {
            return images.size() >= target || tally.isFullOfFindings();
        }

        /** In rounds: whether the next one begins does not depend on the number of threads. */
        private void runAll(List<Job> jobs) {
            final int round = plan.size(4, 32, 32);
            try (ExecutorService threads = Executors.newFixedThreadPool(Math.max(1, plan.threads()))) {
                for (int from = 0; from < jobs.size() && !isEnough(); from += round) {
                    final List<Callable<Void>> calls = new ArrayList<>();
                    for (int i = from; i < Math.min(jobs.size(), from + round); i++) {
                        final Job job = jobs.get(i);
                        final long stepSeed = CampaignTally.mix(plan.seed() + i);
                        calls.add(() -> {
                            runJob(job, stepSeed);
                            return null;
                        });
                    }
                    for (Future<Void> done : threads.invokeAll(calls)) {
                        done.get();
                    }
                    plan.progress().at(images.size(), Math.min(target, images.size() * jobs.size() / (from + round)));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause());
            }
        }

        private void runJob(Job job, long stepSeed) {
            try (CrashScenario scenario = new CrashScenario(plan.seed(), stepSeed, beforeStep)) {
                try {
                    job.run(scenario);
                    states.addAndGet(scenario.checkStates(
                            CrashScenario.USUAL, StateCheck.Rates.USUAL, images, tally));
                    workloads.incrementAndGet();
                    tally.trace(Step.textOf(scenario.steps()).hashCode());
                } catch (CrashScenario.ImpossibleStep e) {
                    impossible.incrementAndGet();
                } catch (RuntimeException | AssertionError e) {
                    report(scenario.steps(), e);
                }
            }
        }

        private void runOne(List<Step> steps, String state) {
            try (CrashScenario scenario = new CrashScenario(plan.seed(), 0, beforeStep)) {
                try {
                    scenario.create();
                    scenario.checkFromHere();
                    scenario.run(steps);
                    if (plan.options().containsKey("export")) {
                        export(scenario, Path.of(plan.options().get("export")));
                    }
                    if (state == null) {
                        states.addAndGet(scenario.checkStates(
                                CrashScenario.USUAL, StateCheck.Rates.USUAL, images, tally));
                    } else if (!scenario.checkState(CrashScenario.USUAL, Long.parseUnsignedLong(state, 16))) {
                        tally.found(new Finding("the workload with this seed has no state " + state, "", ""));
                    }
                    workloads.incrementAndGet();
                } catch (RuntimeException | AssertionError e) {
                    report(steps, e);
                }
            }
        }

        private static void export(CrashScenario scenario, Path file) {
            try {
                WriteLog.write(scenario.device(), file);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot write " + file, e);
            }
        }

        // ---- what is wrong ----

        private void report(List<Step> steps, Throwable wrong) {
            List<Step> shortest = steps;
            Throwable why = wrong;
            if (shrunk.getAndIncrement() < SHRUNK_MAX) {
                shortest = new Shrinker(some -> wrongIn(some) != null, SHRINKING_RUNS_MAX).shrink(steps);
                final Throwable again = wrongIn(shortest);
                why = again == null ? wrong : again;
            }
            final String state = why instanceof StateCheck.WrongState wrongState
                    ? " --option state=%016x".formatted(wrongState.imageHash())
                    : "";
            tally.found(new Finding(
                    why.getMessage(),
                    "kvmdb crashtest --only %s --seed %d --option 'workload=%s'%s"
                            .formatted(NAME, plan.seed(), Step.textOf(shortest), state),
                    String.join("\n", shortest.stream().map(Step::toString).toList())));
        }

        private Throwable wrongIn(List<Step> steps) {
            try {
                CrashScenario.check(steps, plan.seed(), beforeStep);
                return null;
            } catch (CrashScenario.ImpossibleStep e) {
                return null;
            } catch (RuntimeException | AssertionError e) {
                return e;
            }
        }
    }
}
