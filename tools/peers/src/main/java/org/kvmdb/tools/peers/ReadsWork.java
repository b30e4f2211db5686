package org.kvmdb.tools.peers;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.kvmdb.tools.bench.Figure.Aim;

/** Reads at random places of data that are larger than memory. Each verifies the number of the page that it got. */
final class ReadsWork implements Work {

    private static final List<Integer> THREADS = List.of(1, 2, 8);
    private static final int WARMING_THREADS = 8;
    private static final double ZIPF = 0.99;
    /** Between two looks at whether to stop. */
    private static final int BATCH = 16;

    /** How large the data are, and what is to be reached. */
    private enum Size {
        S24(2.4, Aim.atLeast(3), Aim.NONE),
        S4(4, Aim.atLeast(1.3), Aim.atLeast(2)),
        S8(8, Aim.atLeast(1), Aim.atLeast(2));

        private final double factor;
        private final Aim uniform;
        private final Aim zipf;

        Size(double factor, Aim uniform, Aim zipf) {
            this.factor = factor;
            this.uniform = uniform;
            this.zipf = zipf;
        }

        String label() {
            return factor == Math.rint(factor) ? (int) factor + "x" : factor + "x";
        }

        long pages(long limitBytes) {
            return (long) (factor * limitBytes) / PageSource.PAGE_BYTES;
        }
    }

    @Override
    public String name() {
        return "reads";
    }

    @Override
    public String what() {
        return "random reads, data 2.4, 4 and 8 times the limit, uniform and Zipf " + ZIPF;
    }

    @Override
    public Set<PeerSystem> systems() {
        return EnumSet.complementOf(EnumSet.of(PeerSystem.RAW, PeerSystem.BUFFERPOOL));
    }

    private static Case measured(Size size, boolean zipf, int threads) {
        String distribution = zipf ? "zipf" : "uniform";
        return Case.rate(
                "reads-" + size.label() + "-" + distribution + "-" + threads,
                "random reads, data " + size.label() + " the limit, " + distribution + ", threads: " + threads,
                "reads/s");
    }

    @Override
    public List<Case> cases() {
        return goals().stream().map(Goal::measured).toList();
    }

    @Override
    public List<Goal> goals() {
        List<Goal> goals = new ArrayList<>();
        for (Size size : Size.values()) {
            for (boolean zipf : List.of(false, true)) {
                for (int threads : THREADS) {
                    Case measured = measured(size, zipf, threads);
                    goals.add(new Goal(
                            measured.name(), measured, Reference.bestOfAll(), zipf ? size.zipf : size.uniform));
                }
            }
        }
        return goals;
    }

    @Override
    public boolean needsLimit() {
        return true;
    }

    /** The first part of the large data, so that they are made once. */
    @Override
    public void measure(Trial trial) throws Exception {
        Path directory = trial.largeData();
        for (Size size : Size.values()) {
            if (size.pages(trial.settings().limitBytes()) <= trial.settings().largePages()) {
                trial.run(size.name(), directory, trial.settings().largePages());
            }
        }
    }

    @Override
    public void run(String stage, ChildContext context) throws Exception {
        Size size = Size.valueOf(stage);
        long pages = size.pages(context.limitBytes());
        try (Peer peer = context.open(PeerSetup.Access.RANDOM)) {
            for (boolean zipf : List.of(false, true)) {
                Picker picker = zipf ? Picker.zipf(pages, ZIPF) : Picker.uniform(pages);
                Crew.Job job = job(picker);
                Crew.warm(peer, WARMING_THREADS, context.seconds(), job);
                for (int threads : THREADS) {
                    context.answer(
                            measured(size, zipf, threads), Crew.perSecond(peer, threads, context.seconds(), job));
                }
            }
        }
    }

    static Crew.Job job(Picker picker) {
        return (session, random) -> () -> read(session, picker, random);
    }

    private static long read(Session session, Picker picker, SplittableRandom random) {
        for (int i = 0; i < BATCH; i++) {
            long page = picker.next(random);
            long found = session.word(page, 0);
            if (found != page) {
                throw new IllegalStateException("page " + page + " says that it is page " + found);
            }
        }
        return BATCH;
    }
}
