package org.kvmdb.tools.peers;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.kvmdb.tools.bench.CompilerWatch;

/** Threads that do the same again and again, each in a session of its own, while somebody watches. */
final class Crew {

    /** What the threads do. */
    interface Job {
        /** For one thread, which then takes that step until all are stopped. */
        Step begin(Session session, SplittableRandom random);
    }

    /** Short beside the time that is measured. */
    interface Step {
        /** Returns how much it did. */
        long run() throws Exception;
    }

    /** Stops them by returning. */
    private interface Watcher {
        void watch(LongAdder done) throws InterruptedException;
    }

    private static final double NANOS_PER_SECOND = 1e9;
    /** Never the same pages again: those of the warming up would be in a cache. */
    private static final AtomicLong SEEDS = new AtomicLong(0x5EED);

    /** What counts as faster while caches fill, how many pieces in a row may pass without it, and how many there are at most. */
    private static final double WARMING_GAIN = 1.02;

    private static final int WARMING_PATIENCE = 4;
    private static final int WARMING_PIECES_MAX = 30;

    private Crew() {}

    /**
     * Works, not measured, until that gets no faster: a system that can keep more has longer to fill.
     *
     * @param least how much is done in any case: while caches fill for the first time, nothing gets faster
     */
    static void warm(Peer peer, int threads, double seconds, long least, Job job) throws Exception {
        work(peer, threads, job, done -> {
            double best = 0;
            int pieces = 0;
            for (int since = 0; since < WARMING_PATIENCE && pieces < WARMING_PIECES_MAX; since++, pieces++) {
                long startNanos = System.nanoTime();
                long before = done.sum();
                sleep(seconds);
                double rate = (double) (done.sum() - before) / (System.nanoTime() - startNanos);
                if (done.sum() < least) {
                    pieces = 0;
                    since = -1;
                } else if (rate > best * WARMING_GAIN) {
                    best = rate;
                    since = -1;
                }
            }
        });
    }

    /** Works, not measured, until the compiler is done with it. */
    static void compile(Peer peer, int threads, double seconds, Job job) throws Exception {
        work(peer, threads, job, done -> CompilerWatch.warmUp(() -> sleep(seconds)));
    }

    /** How much they did in a second, together. */
    static double perSecond(Peer peer, int threads, double seconds, Job job) throws Exception {
        return work(peer, threads, job, done -> sleep(seconds));
    }

    private static void sleep(double seconds) throws InterruptedException {
        Thread.sleep(Duration.ofNanos((long) (seconds * NANOS_PER_SECOND)));
    }

    private static double work(Peer peer, int threads, Job job, Watcher watcher) throws Exception {
        LongAdder done = new LongAdder();
        AtomicBoolean stopped = new AtomicBoolean();
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Future<Double>> rates = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                SplittableRandom random = new SplittableRandom(SEEDS.incrementAndGet());
                rates.add(executor.submit((Callable<Double>) () -> {
                    try (Session session = peer.session()) {
                        return work(job.begin(session, random), done, stopped);
                    }
                }));
            }
            try {
                watcher.watch(done);
            } finally {
                stopped.set(true);
            }
            double sum = 0;
            for (Future<Double> rate : rates) {
                sum += rate.get();
            }
            return sum;
        }
    }

    /** One thread: its own rate, to the end of its last step. */
    private static double work(Step step, LongAdder done, AtomicBoolean stopped) throws Exception {
        long startNanos = System.nanoTime();
        long own = 0;
        do {
            long count = step.run();
            own += count;
            done.add(count);
        } while (!stopped.get());
        return own * NANOS_PER_SECOND / (System.nanoTime() - startNanos);
    }
}
