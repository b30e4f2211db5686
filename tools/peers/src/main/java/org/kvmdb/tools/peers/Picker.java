package org.kvmdb.tools.peers;

import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/** Chooses pages. Shared by threads. */
interface Picker {

    long next(SplittableRandom random);

    static Picker uniform(long pages) {
        return random -> random.nextLong(pages);
    }

    /** Every page once, in random order, and then any. */
    static Picker everyOneFirst(long pages) {
        int[] order = IntStream.range(0, Math.toIntExact(pages)).toArray();
        SplittableRandom shuffling = new SplittableRandom(1);
        for (int i = order.length - 1; i > 0; i--) {
            int other = shuffling.nextInt(i + 1);
            int page = order[i];
            order[i] = order[other];
            order[other] = page;
        }
        AtomicLong next = new AtomicLong();
        return random -> {
            long i = next.getAndIncrement();
            return i < order.length ? order[(int) i] : random.nextInt(order.length);
        };
    }

    /** Pages by popularity, the popular ones scattered over all of them. */
    static Picker zipf(long pages, double exponent) {
        return new Zipf(pages, exponent);
    }

    /** Gray et al., "Quickly generating billion-record synthetic databases", as YCSB has it. */
    final class Zipf implements Picker {

        /** Larger than any number of pages here, so that multiplying by it modulo that number scatters without collisions. */
        private static final long PRIME = 2_147_483_647L;

        private final long pages;
        private final double exponent;
        private final double zeta;
        private final double alpha;
        private final double eta;

        private Zipf(long pages, double exponent) {
            this.pages = pages;
            this.exponent = exponent;
            this.zeta = zeta(pages);
            this.alpha = 1 / (1 - exponent);
            this.eta = (1 - Math.pow(2.0 / pages, 1 - exponent)) / (1 - zeta(2) / zeta);
        }

        private double zeta(long count) {
            double sum = 0;
            for (long rank = 1; rank <= count; rank++) {
                sum += 1 / Math.pow(rank, exponent);
            }
            return sum;
        }

        @Override
        public long next(SplittableRandom random) {
            double u = random.nextDouble();
            double uz = u * zeta;
            long rank;
            if (uz < 1) {
                rank = 0;
            } else if (uz < 1 + Math.pow(0.5, exponent)) {
                rank = 1;
            } else {
                rank = (long) (pages * Math.pow(eta * u - eta + 1, alpha));
            }
            return Math.min(rank, pages - 1) * PRIME % pages;
        }
    }
}
