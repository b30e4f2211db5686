package org.kvmdb.tools.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/** Threads that do the same for a while. */
final class Crew {

    /** What one thread does. */
    interface Job {
        /**
         * Works until that time.
         *
         * @return how much it did
         */
        long run(Session session, SplittableRandom random, long endNanos) throws Exception;
    }

    private static final double NANOS_PER_SECOND = 1e9;
    /** Never the same pages again: those of the warming up would be in a cache. */
    private static final AtomicLong SEEDS = new AtomicLong(0x5EED);

    /** What counts as faster while caches fill, how many pieces in a row may pass without it, and how many there are at most. */
    private static final double WARMING_GAIN = 1.02;

    private static final int WARMING_PATIENCE = 4;
    private static final int WARMING_PIECES_MAX = 30;

    private Crew() {}

    /** Works, not measured, until that gets no faster: a system that can keep more has longer to fill. */
    static void warm(Peer peer, int threads, double seconds, Job job) throws Exception {
        double best = 0;
        int pieces = 0;
        for (int since = 0; since < WARMING_PATIENCE && pieces < WARMING_PIECES_MAX; since++, pieces++) {
            double rate = perSecond(peer, threads, seconds, job);
            if (rate > best * WARMING_GAIN) {
                best = rate;
                since = -1;
            }
        }
    }

    /** How much they did in a second, together. */
    static double perSecond(Peer peer, int threads, double seconds, Job job) throws Exception {
        CyclicBarrier start = new CyclicBarrier(threads);
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Future<Double>> rates = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                SplittableRandom random = new SplittableRandom(SEEDS.incrementAndGet());
                rates.add(executor.submit((Callable<Double>) () -> {
                    try (Session session = peer.session()) {
                        start.await();
                        long startNanos = System.nanoTime();
                        long done = job.run(session, random, startNanos + (long) (seconds * NANOS_PER_SECOND));
                        return done * NANOS_PER_SECOND / (System.nanoTime() - startNanos);
                    }
                }));
            }
            double sum = 0;
            for (Future<Double> rate : rates) {
                sum += rate.get();
            }
            return sum;
        }
    }
}
