package org.kvmdb.journal.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Finding;

/**
 * Hostile files, streams and messages, by a fuzzer that goes by coverage. Options: {@code target}, a name; {@code minutes},
 * instead of a number of {@code inputs}; {@code corpus}, a directory that programs are taken from and kept in;
 * {@code current}, a directory for what is run at the moment.
 */
public final class FuzzCampaign implements Campaign {

    private static final long HANG_NANOS = 20_000_000_000L;
    private static final long LOOK_MILLIS = 100;
    private static final int RELEASE_MINUTES = 20;
    private static final int OUTCOMES_SHOWN = 5;
    private static final int OUTCOME_CHARS_SHOWN = 100;

    private record Work(FuzzLoop loop, InstrumentingLoader loader, Thread thread, CountDownLatch done) {}

    @Override
    public String name() {
        return "fuzz";
    }

    @Override
    public String description() {
        return "whatever is in a file, a stream or a message, with checksums made right: it is refused by a typed exception"
                + " or read as it says, in a second, in little memory";
    }

    @Override
    public void checkOptions(Map<String, String> options) {
        targets(options);
    }

    @Override
    public CampaignReport run(CampaignPlan plan) {
        final CampaignTally tally = new CampaignTally(name(), plan);
        final Semaphore turns = new Semaphore(plan.threads());
        final List<String> targets = targets(plan.options());
        final List<Work> all = new ArrayList<>();
        for (String target : targets) {
            turns.acquireUninterruptibly();
            all.add(start(target, plan, tally, turns, targets.size()));
            awaitTurn(turns, all);
        }
        all.forEach(work -> await(work, turns));
        all.forEach(work -> tell(work, tally));
        return tally.report();
    }

    /** Class names of those that are asked for. */
    private static List<String> targets(Map<String, String> options) {
        final String only = options.get("target");
        final Map<String, String> all = new LinkedHashMap<>();
        for (ServiceLoader.Provider<FuzzTarget> provider : providers(newLoader())) {
            try (FuzzTarget target = provider.get()) {
                all.put(target.name(), target.getClass().getName());
            } catch (Exception e) {
                throw new IllegalStateException("a target cannot be closed", e);
            }
        }
        if (only == null) {
            return List.copyOf(all.values());
        }
        if (!all.containsKey(only)) {
            throw new IllegalArgumentException(
                    "no target '%s'; there are %s".formatted(only, String.join(", ", all.keySet())));
        }
        return List.of(all.get(only));
    }

    private static InstrumentingLoader newLoader() {
        return new InstrumentingLoader(FuzzCampaign.class.getClassLoader());
    }

    private static List<ServiceLoader.Provider<FuzzTarget>> providers(InstrumentingLoader loader) {
        return ServiceLoader.load(FuzzTarget.class, loader).stream().toList();
    }

    /** A target gets a loader of its own, and with it counters of its own. */
    private static Work start(String targetClass, CampaignPlan plan, CampaignTally tally, Semaphore turns, int targets) {
        final InstrumentingLoader loader = newLoader();
        final FuzzTarget target = providers(loader).stream()
                .filter(provider -> provider.type().getName().equals(targetClass))
                .findFirst()
                .orElseThrow()
                .get();
        final FuzzLoop loop = new FuzzLoop(
                target, loader, plan.seed(), Path.of(plan.options().getOrDefault("current", plan.directory().toString())),
                nanosFor(plan, targets) > 0, tally);
        final CountDownLatch done = new CountDownLatch(1);
        final Thread thread = new Thread(() -> {
            try (target) {
                loop.begin(kept(plan, target.name()));
                fuzz(loop, target, plan, tally, targets);
                keep(plan, target.name(), loop);
            } catch (Throwable e) {
                tally.found(new Finding("%s: the fuzzer itself failed: %s".formatted(target.name(), e), "", ""));
            } finally {
                done.countDown();
                turns.release();
            }
        }, "fuzz-" + target.name());
        thread.setDaemon(true);
        thread.start();
        return new Work(loop, loader, thread, done);
    }

    private static void fuzz(
            FuzzLoop loop, FuzzTarget target, CampaignPlan plan, CampaignTally tally, int targets) {
        final long nanos = nanosFor(plan, targets);
        if (nanos > 0) {
            final long end = System.nanoTime() + nanos;
            while (System.nanoTime() < end && !tally.isFullOfFindings()) {
                loop.step();
            }
            return;
        }
        final int inputs = Integer.parseInt(
                plan.options().getOrDefault("inputs", String.valueOf(plan.size(200, 2_000, 2_000_000))));
        for (int i = 0; i < inputs / target.cost() && !tally.isFullOfFindings(); i++) {
            loop.step();
        }
    }

    /** How long a target has; 0 when it has a number of inputs. */
    private static long nanosFor(CampaignPlan plan, int targets) {
        final String minutes = plan.options().getOrDefault(
                "minutes",
                plan.scale() == CampaignPlan.Scale.RELEASE && !plan.options().containsKey("inputs")
                        ? String.valueOf(RELEASE_MINUTES)
                        : "0");
        return (long) (Double.parseDouble(minutes) * 60e9 * Math.min(plan.threads(), targets) / targets);
    }

    private static void awaitTurn(Semaphore turns, List<Work> all) {
        while (turns.availablePermits() == 0) {
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                throw new IllegalStateException("interrupted", e);
            }
            all.forEach(work -> lookAt(work, turns));
        }
    }

    private static void await(Work work, Semaphore turns) {
        try {
            while (!work.done.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                lookAt(work, turns);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** A target that hangs is given up, with its thread. */
    private static void lookAt(Work work, Semaphore turns) {
        if (work.done.getCount() > 0 && work.loop.stuckNanos() > HANG_NANOS) {
            work.loop.hangs(work.thread);
            work.done.countDown();
            turns.release();
        }
    }

    private static void tell(Work work, CampaignTally tally) {
        final String target = work.thread.getName();
        tally.note(target + " edges", "%d of %d in loaded classes".formatted(work.loop.edgesSeen(), work.loader.edges()));
        tally.note(target + " corpus", String.valueOf(work.loop.corpus().size()));
        tally.note(target + " outcomes", outcomes(work.loop.outcomes()));
    }

    /** The most frequent ones: there are thousands, as each names the place where something was found. */
    static String outcomes(Map<String, Long> counts) {
        final String shown = counts.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                .limit(OUTCOMES_SHOWN)
                .map(outcome -> "%,d × %s".formatted(outcome.getValue(), shortened(outcome.getKey())))
                .collect(Collectors.joining("; "));
        final int more = counts.size() - OUTCOMES_SHOWN;
        return more <= 0 ? shown : "%s; and %,d others".formatted(shown, more);
    }

    private static String shortened(String outcome) {
        return outcome.length() <= OUTCOME_CHARS_SHOWN ? outcome : outcome.substring(0, OUTCOME_CHARS_SHOWN) + " ...";
    }

    // ---- corpus ----

    private static List<List<Edit>> kept(CampaignPlan plan, String target) {
        final Path file = fileOf(plan, target);
        try {
            return file == null || !Files.exists(file) ? List.of() : EditFile.read(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void keep(CampaignPlan plan, String target, FuzzLoop loop) {
        final Path file = fileOf(plan, target);
        try {
            if (file != null) {
                Files.createDirectories(file.getParent());
                EditFile.write(file, loop.corpus());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path fileOf(CampaignPlan plan, String target) {
        final String directory = plan.options().get("corpus");
        return directory == null ? null : Path.of(directory).resolve(target + ".edits");
    }
}
