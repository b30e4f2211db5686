package org.kvmdb.gc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.kvmdb.journal.SegmentCensus;

class VictimPolicyTest {

    private static final int SEGMENT = 1 << 20;
    private static final int YOUNG = 6;
    private static final int OLD = 12;

    private static SegmentCensus census(int[] live, int[] ages, long deathsYoung, long deathsOld, long clock) {
        final int[] segments = new int[live.length];
        for (int i = 0; i < segments.length; i++) {
            segments[i] = 10 + i;
        }
        final long[] deaths = new long[SegmentCensus.CLASSES];
        deaths[YOUNG] = deathsYoung;
        deaths[OLD] = deathsOld;
        return new SegmentCensus(segments, live, ages, deaths, 0, clock);
    }

    private static int best(VictimPolicy policy, SegmentCensus census) {
        return policy.best(census, SEGMENT, new boolean[census.segments().length]);
    }

    @Test
    void shouldChooseTheEmptiestWhenAllAgesDieAlike() {
        final VictimPolicy policy = new VictimPolicy();
        final int[] live = {SEGMENT / 2, SEGMENT / 4, SEGMENT / 3};
        final int[] ages = {OLD, YOUNG, OLD};
        assertEquals(1, best(policy, census(live, ages, 0, 0, 0)));
        policy.observe(census(live, ages, 0, 0, 0));
        // As many bytes of each class as were exposed to dying.
        policy.observe(census(live, ages, SEGMENT / 4, SEGMENT / 2 + SEGMENT / 3, 10 << 20));
        assertEquals(policy.deathRate(YOUNG), policy.deathRate(OLD), policy.deathRate(OLD) / 100);
        assertEquals(1, best(policy, census(live, ages, 0, 0, 10 << 20)));
    }

    @Test
    void shouldLetYoungSegmentsDieOnWhenTheyDieFaster() {
        final VictimPolicy policy = new VictimPolicy();
        final int[] live = {SEGMENT / 2, SEGMENT / 2 + SEGMENT / 8};
        final int[] ages = {YOUNG, OLD};
        policy.observe(census(live, ages, 0, 0, 0));
        policy.observe(census(live, ages, 40L << 20, 1L << 20, 50L << 20));
        assertTrue(policy.deathRate(YOUNG) > 10 * policy.deathRate(OLD));
        assertEquals(1, best(policy, census(live, ages, 40L << 20, 1L << 20, 50L << 20)));
    }

    @Test
    void shouldCountAClassThatWasHardlySeenAsTheAverage() {
        final VictimPolicy policy = new VictimPolicy();
        final int[] live = {SEGMENT / 2};
        final int[] ages = {YOUNG};
        policy.observe(census(live, ages, 0, 0, 0));
        policy.observe(census(live, ages, 5 << 20, 0, 50 << 20));
        assertEquals(policy.deathRate(YOUNG), policy.deathRate(20), policy.deathRate(YOUNG) / 100);
    }

    @Test
    void shouldForgetWhatWasLongAgo() {
        final VictimPolicy policy = new VictimPolicy();
        final int[] live = {SEGMENT, SEGMENT};
        final int[] ages = {YOUNG, OLD};
        policy.observe(census(live, ages, 0, 0, 0));
        long clock = 0;
        long young = 0;
        long old = 0;
        for (int i = 0; i < 400; i++) {
            young += i < 200 ? 1000 : 0;
            old += i < 200 ? 0 : 1000;
            clock += SEGMENT;
            policy.observe(census(live, ages, young, old, clock));
            if (i == 199) {
                assertTrue(policy.deathRate(YOUNG) > 10 * policy.deathRate(OLD));
            }
        }
        assertTrue(policy.deathRate(OLD) > 10 * policy.deathRate(YOUNG));
    }

    @Test
    void shouldNotChooseWhatIsTaken() {
        final VictimPolicy policy = new VictimPolicy();
        final SegmentCensus census = census(new int[] {1000, 2000}, new int[] {OLD, OLD}, 0, 0, 0);
        assertEquals(1, policy.best(census, SEGMENT, new boolean[] {true, false}));
        assertEquals(-1, policy.best(census, SEGMENT, new boolean[] {true, true}));
    }

    @Test
    void shouldKeepWhatIsOlderThanAllThatIsLiveApartHoweverFewStreamsThereAre() {
        final long live = 1L << 30;
        for (int count = 2; count <= 6; count++) {
            final int[] streams = VictimPolicy.streams(live, count);
            assertEquals(count - 2, streams[SegmentCensus.classOf(live / 2)]);
            assertEquals(count - 1, streams[SegmentCensus.classOf(live)]);
        }
    }

    @Test
    void shouldTellAgesApartAroundWhatIsLive() {
        final long live = 1L << 30;
        final int[] streams = VictimPolicy.streams(live, 6);
        assertEquals(0, streams[0]);
        assertEquals(0, streams[SegmentCensus.classOf(live / 32)]);
        assertEquals(1, streams[SegmentCensus.classOf(live / 16)]);
        assertEquals(5, streams[SegmentCensus.classOf(live)]);
        assertEquals(5, streams[SegmentCensus.CLASSES - 1]);
        assertEquals(4, streams[SegmentCensus.classOf(live / 2)]);
        for (int stream : VictimPolicy.streams(live, 1)) {
            assertEquals(0, stream);
        }
    }
}
