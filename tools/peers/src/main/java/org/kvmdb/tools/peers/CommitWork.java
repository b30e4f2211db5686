package org.kvmdb.tools.peers;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.kvmdb.tools.bench.Figure.Aim;

/** A random page overwritten and made durable, by one thread and by several, each page a commit of its own. */
final class CommitWork implements Work {

    private static final List<Integer> THREADS = List.of(1, 8, 16);
    private static final List<Integer> WARM_UP_THREADS = List.of(16, 8, 1);
    private static final long NANOS_MAX = TimeUnit.MINUTES.toNanos(1);

    @Override
    public String name() {
        return "commit";
    }

    @Override
    public String what() {
        return "durable commits of one page, data a quarter of the limit (file: pwrite and fdatasync, the floor)";
    }

    @Override
    public Set<PeerSystem> systems() {
        return EnumSet.complementOf(EnumSet.of(PeerSystem.KVMDB_CALLS, PeerSystem.RAW, PeerSystem.BUFFERPOOL));
    }

    private static Case rate(int threads) {
        return Case.rate("commit-" + threads, "durable commits of a page, threads: " + threads, "commits/s");
    }

    private static Case latency(int threads, String percentile) {
        return Case.cost(
                "commit-" + threads + "-" + percentile,
                "a durable commit of a page, " + percentile + ", threads: " + threads,
                "us");
    }

    @Override
    public List<Case> cases() {
        return THREADS.stream()
                .flatMap(threads -> List.of(rate(threads), latency(threads, "p50"), latency(threads, "p99")).stream())
                .toList();
    }

    @Override
    public List<Goal> goals() {
        List<Goal> goals = new ArrayList<>();
        goals.add(new Goal("commit-1-floor", latency(1, "p50"), Reference.of(PeerSystem.FILE), Aim.atMost(1.15)));
        for (int threads : THREADS) {
            goals.add(new Goal(
                    "commit-" + threads + "-peer",
                    rate(threads),
                    Reference.bestStore(),
                    Aim.atLeast(threads == 1 ? 1 : 2)));
            if (threads > 1) {
                goals.add(new Goal(
                        "commit-" + threads + "-floor",
                        rate(threads),
                        Reference.of(PeerSystem.FILE),
                        Aim.atLeast(1)));
            }
        }
        return goals;
    }

    @Override
    public void measure(Trial trial) throws Exception {
        trial.runOnSmallData(RUN);
    }

    @Override
    public void run(String stage, ChildContext context) throws Exception {
        try (Arena arena = Arena.ofShared();
                Peer peer = context.open(PeerSetup.Access.RANDOM)) {
            PageSource source = context.source(arena);
            peer.readAll(context.pages());
            // By several threads, too: there is code that only groups of commits run.
            for (int threads : WARM_UP_THREADS) {
                Crew.compile(peer, threads, context.seconds(), job(context, source, histogram()));
            }
            for (int threads : THREADS) {
                Histogram histogram = histogram();
                double perSecond =
                        Crew.perSecond(peer, threads, context.seconds(), job(context, source, histogram));
                context.answer(rate(threads), perSecond);
                context.answer(latency(threads, "p50"), histogram.getValueAtPercentile(50) / 1e3);
                context.answer(latency(threads, "p99"), histogram.getValueAtPercentile(99) / 1e3);
            }
        }
    }

    private static Histogram histogram() {
        return new ConcurrentHistogram(NANOS_MAX, 3);
    }

    private static Crew.Job job(ChildContext context, PageSource source, Histogram histogram) {
        return (session, random) -> {
            long[] page = new long[1];
            return () -> {
                page[0] = random.nextLong(context.pages());
                long startNanos = System.nanoTime();
                session.commit(page, 1, source, version(random));
                histogram.recordValue(Math.min(System.nanoTime() - startNanos, NANOS_MAX));
                return 1;
            };
        };
    }

    static long version(SplittableRandom random) {
        return random.nextInt(1 << 20);
    }
}
