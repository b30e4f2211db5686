package org.kvmdb.tools.peers;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.kvmdb.tools.bench.CompilerWatch;
import org.kvmdb.tools.bench.Figure.Aim;

/**
 * How long a write to memory takes while another thread commits 10,000 dirty pages. One thread writes eight bytes to random
 * ones of the same pages without a pause; what is counted are its writes from the beginning of a commit to its end.
 */
final class StallWork implements Work {

    private static final int DIRTY_PAGES = 10_000;
    private static final long NANOS_MAX = TimeUnit.MINUTES.toNanos(1);
    private static final Case P50 = stall("p50");
    private static final Case P99 = stall("p99");
    private static final Case P999 = stall("p99.9");
    private static final Case MAX = stall("max");
    private static final Case COMMIT = Case.cost("stall-commit", "such a commit, the writes of its pages included, p50", "ms");

    private static Case stall(String percentile) {
        return Case.cost("stall-" + percentile, "a write during a commit of 10,000 pages, " + percentile, "us");
    }

    @Override
    public String name() {
        return "stall";
    }

    @Override
    public String what() {
        return "writes of 8 bytes to resident memory while another thread commits 10,000 dirty pages (mmap: force())";
    }

    @Override
    public Set<PeerSystem> systems() {
        return EnumSet.of(PeerSystem.KVMDB, PeerSystem.MMAP);
    }

    @Override
    public List<Case> cases() {
        return List.of(P50, P99, P999, MAX, COMMIT);
    }

    @Override
    public List<Goal> goals() {
        return List.of(
                new Goal("stall-p99.9", P999, Reference.constant("100 us", 100), Aim.atMost(1)),
                new Goal("stall-mmap", P999, Reference.of(PeerSystem.MMAP), Aim.NONE));
    }

    @Override
    public void measure(Trial trial) throws Exception {
        trial.runOnSmallData(RUN);
    }

    @Override
    public void run(String stage, ChildContext context) throws Exception {
        try (Arena arena = Arena.ofShared();
                Peer peer = context.open(PeerSetup.Access.RANDOM);
                Session session = peer.session()) {
            PageSource source = context.source(arena);
            session.scan(0, context.pages());
            SplittableRandom random = new SplittableRandom(1);
            int count = (int) Math.min(DIRTY_PAGES, context.pages() / 4);
            long[] pages = random.longs(0, context.pages()).distinct().limit(count).toArray();
            session.commit(pages, count, source, 0);
            Writer writer = new Writer(peer.memory(), pages);
            Thread thread = Thread.ofPlatform().name("writer").start(writer);
            Runnable commit = () -> session.commit(pages, count, source, CommitWork.version(random));
            CompilerWatch.warmUp(() -> again(commit, context.seconds()));
            Histogram commitNanos = new Histogram(NANOS_MAX, 3);
            again(
                    () -> {
                        long startNanos = System.nanoTime();
                        writer.counted = true;
                        commit.run();
                        writer.counted = false;
                        commitNanos.recordValue(Math.min(System.nanoTime() - startNanos, NANOS_MAX));
                    },
                    context.seconds());
            writer.stopped = true;
            thread.join();
            if (writer.failure != null) {
                throw new IllegalStateException("the writing thread failed", writer.failure);
            }
            context.answer(P50, writer.nanos.getValueAtPercentile(50) / 1e3);
            context.answer(P99, writer.nanos.getValueAtPercentile(99) / 1e3);
            context.answer(P999, writer.nanos.getValueAtPercentile(99.9) / 1e3);
            context.answer(MAX, writer.nanos.getMaxValue() / 1e3);
            context.answer(COMMIT, commitNanos.getValueAtPercentile(50) / 1e6);
        }
    }

    private static void again(Runnable action, double seconds) {
        long endNanos = System.nanoTime() + (long) (seconds * 1e9);
        do {
            action.run();
        } while (System.nanoTime() < endNanos);
    }

    private static final class Writer implements Runnable {

        private final MemorySegment memory;
        private final long[] pages;
        private final Histogram nanos = new Histogram(NANOS_MAX, 3);
        private volatile boolean counted;
        private volatile boolean stopped;
        private volatile Throwable failure;

        Writer(MemorySegment memory, long[] pages) {
            this.memory = memory;
            this.pages = pages;
        }

        @Override
        public void run() {
            SplittableRandom random = new SplittableRandom(2);
            try {
                long before = System.nanoTime();
                while (!stopped) {
                    long page = pages[random.nextInt(pages.length)];
                    boolean during = counted;
                    long startNanos = System.nanoTime();
                    memory.set(ValueLayout.JAVA_LONG, page * PageSource.PAGE_BYTES + Long.BYTES, before);
                    before = System.nanoTime();
                    if (during || counted) {
                        nanos.recordValue(Math.min(before - startNanos, NANOS_MAX));
                    }
                }
            } catch (Throwable thrown) {
                failure = thrown;
            }
        }
    }
}
