package org.kvmdb.tools.peers;

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
    /** Before, caches are full of other pages: what is read most has to find its way to where it stays. */
    private static final int SETTLING_READS_PER_PAGE = 2;

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
        return goals().stream().map(Goal::measured).distinct().toList();
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
        return goals.stream().flatMap(Goal::bothWays).toList();
    }

    @Override
    public boolean needsLimit() {
        return true;
    }

    /** Parts of the large data, so that they are made once. */
    @Override
    public void measure(Trial trial) throws Exception {
        trial.run(RUN, trial.largeData(), trial.settings().largePages());
    }

    /**
     * All sizes by one process, each the first part of the next: reading every page of the smallest once fills the caches, which takes the
     * longest, and they are full from then on.
     */
    @Override
    public void run(String stage, ChildContext context) throws Exception {
        try (Peer peer = context.open(PeerSetup.Access.RANDOM)) {
            long smallest = Math.min(Size.S24.pages(context.limitBytes()), context.pages());
            Crew.warm(peer, WARMING_THREADS, context.seconds(), smallest, job(Picker.everyOneFirst(smallest)));
            for (boolean zipf : List.of(false, true)) {
                for (Size size : Size.values()) {
                    if (size.pages(context.limitBytes()) <= context.pages()) {
                        run(context, peer, size, zipf);
                    }
                }
            }
        }
    }

    private static void run(ChildContext context, Peer peer, Size size, boolean zipf) throws Exception {
        long pages = size.pages(context.limitBytes());
        Crew.Job job = job(zipf ? Picker.zipf(pages, ZIPF) : Picker.uniform(pages));
        Crew.warm(peer, WARMING_THREADS, context.seconds(), zipf ? pages * SETTLING_READS_PER_PAGE : 0, job);
        for (int threads : THREADS) {
            context.answer(measured(size, zipf, threads), Crew.perSecond(peer, threads, context.seconds(), job));
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
