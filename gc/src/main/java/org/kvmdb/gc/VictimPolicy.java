package org.kvmdb.gc;

import java.util.Arrays;
import org.kvmdb.journal.SegmentCensus;

/**
 * Which segment is worth the most when it is cleaned, and which blocks are put beside each other.
 *
 * <p><b>Victims.</b> Cleaning a segment of which a share u is live costs 1 / (1 − u) for each byte gained, and waiting pays as
 * long as that falls quickly: as much as u dies away. So the score is (1 − u)² / (u · h), with h the rate at which blocks of
 * that age die. Where blocks of all ages die alike, that chooses the emptiest segment; where old ones die more slowly, it cleans
 * old segments when they are a little dead and lets young ones die on. No other policy is needed for either case.
 *
 * <p><b>Rates of death</b> are measured: the bytes of each class of ages that died, by the bytes that were live in it and the
 * progress of the log meanwhile, with a memory of a few times what is live.
 *
 * <p><b>Streams.</b> A moved block goes to the stream of its class. The last stream begins with the age in which users write as
 * much as is live, each one before it with half the age of the next: what is older than all that is live is cold, however few
 * streams there are, and does not lie among what only survived its segment. One thread.
 */
final class VictimPolicy {

    /** Measured anew each time that users wrote this share of what is live, and forgotten by that much each time. */
    private static final int OBSERVATIONS_PER_TURN = 64;

    private static final double MEMORY = 1 - 1.0 / 32;

    private final double[] deaths = new double[SegmentCensus.CLASSES];
    private final double[] exposure = new double[SegmentCensus.CLASSES];
    private long[] deathsSeen;
    private long clockSeen;

    /** Takes in how much died since the last time, if users wrote enough since. */
    void observe(SegmentCensus census) {
        if (deathsSeen == null) {
            deathsSeen = census.deathBytes();
            clockSeen = census.clock();
            return;
        }
        final long live = Arrays.stream(census.liveBytes()).asLongStream().sum();
        final long passed = census.clock() - clockSeen;
        if (passed <= live / OBSERVATIONS_PER_TURN) {
            return;
        }
        for (int i = 0; i < SegmentCensus.CLASSES; i++) {
            deaths[i] = deaths[i] * MEMORY + (census.deathBytes()[i] - deathsSeen[i]);
            exposure[i] *= MEMORY;
        }
        for (int i = 0; i < census.segments().length; i++) {
            exposure[census.ageClasses()[i]] += (double) census.liveBytes()[i] * passed;
        }
        deathsSeen = census.deathBytes();
        clockSeen = census.clock();
    }

    /**
     * The rate at which blocks of a class die. A class of which little was seen counts as the average; so do all before anything
     * was measured.
     */
    double deathRate(int ageClass) {
        final double allDeaths = Arrays.stream(deaths).sum();
        final double allExposure = Arrays.stream(exposure).sum();
        if (allDeaths == 0 || allExposure == 0) {
            return 1;
        }
        final double average = allDeaths / allExposure;
        final double little = allExposure / 1000;
        return (deaths[ageClass] + average * little) / (exposure[ageClass] + little);
    }

    /** Index in the census of the best victim that is not taken, or -1. */
    int best(SegmentCensus census, int segmentSizeBytes, boolean[] taken) {
        final double[] rates = new double[SegmentCensus.CLASSES];
        for (int i = 0; i < rates.length; i++) {
            rates[i] = deathRate(i);
        }
        int best = -1;
        double bestScore = 0;
        for (int i = 0; i < census.segments().length; i++) {
            final double u = (double) census.liveBytes()[i] / segmentSizeBytes;
            final double score = (1 - u) * (1 - u) / (u * rates[census.ageClasses()[i]]);
            if (!taken[i] && (best < 0 || score > bestScore)) {
                best = i;
                bestScore = score;
            }
        }
        return best;
    }

    /** Stream of each class of ages, from 0, when that many bytes are live. */
    static int[] streams(long liveBytes, int streams) {
        final int[] result = new int[SegmentCensus.CLASSES];
        final int oldest = SegmentCensus.classOf(liveBytes);
        for (int i = 0; i < result.length; i++) {
            result[i] = Math.clamp(i - oldest + streams - 1, 0, streams - 1);
        }
        return result;
    }
}
