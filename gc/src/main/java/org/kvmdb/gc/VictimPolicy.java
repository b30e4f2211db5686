package org.kvmdb.gc;

import java.util.Arrays;
import org.kvmdb.journal.SegmentCensus;

/**
 * Chooses the segment that is most worth cleaning, and the blocks that are stored together.
 *
 * <p><b>Victims.</b> Cleaning a segment with a live share u costs 1 / (1 − u) for each byte gained. Waiting pays as
 * long as this cost falls quickly, that is, as long as live blocks die at a high rate. So the score is (1 − u)² / (u ·
 * h), where h is the rate at which blocks of that age die. If blocks of all ages die at the same rate, this chooses the
 * emptiest segment. If old blocks die more slowly, it cleans old segments when a little of them is dead, and leaves
 * young ones to die further. Both cases need only this one policy.
 *
 * <p><b>Rates of death</b> are measured: the bytes of each age class that died, divided by the live bytes of the class
 * and the progress of the log meanwhile, with a memory of a few times the live bytes.
 *
 * <p><b>Streams.</b> A moved block goes to the stream of its class. The last stream begins with the age in which users
 * write as many bytes as are live; each earlier stream begins with half the age of the next. So blocks older than that
 * are cold, however few streams there are, and do not lie among blocks that merely outlived their segment. One thread.
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
