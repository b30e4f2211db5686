package org.kvmdb.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class GatheringTest {

    private static final long GROUP_NANOS = 200_000;

    private final Gathering gathering = new Gathering();
    private long nowNanos = 1;

    /** A group that takes 200 us; the next one gathers from its end on. */
    private void endGroup(int seen) {
        final long startNanos = nowNanos;
        nowNanos += GROUP_NANOS;
        gathering.start(seen, startNanos, nowNanos);
    }

    private boolean isOver(int waiting) {
        return gathering.isOver(waiting, nowNanos);
    }

    @Test
    void shouldNotMakeALoneCommitterWait() {
        assertTrue(isOver(1));
        endGroup(1);
        endGroup(1);
        assertTrue(isOver(1));
    }

    @Test
    void shouldWaitForAsManyAsThereWereInEachOfTheLastTwoRounds() {
        endGroup(8);
        assertTrue(isOver(1), "one round may have been a coincidence");
        endGroup(8);
        assertFalse(isOver(7));
        assertTrue(isOver(8));
        endGroup(9);
        assertTrue(isOver(8));
        endGroup(3);
        assertTrue(isOver(3));
    }

    @Test
    void shouldWaitNoLongerThanHalfOfWhatTheShorterGroupTook() {
        endGroup(8);
        endGroup(8);
        assertEquals(GROUP_NANOS / 2, gathering.restNanos(nowNanos));
        gathering.start(8, nowNanos, nowNanos + 100 * GROUP_NANOS);
        nowNanos += 100 * GROUP_NANOS;
        assertEquals(GROUP_NANOS / 2, gathering.restNanos(nowNanos), "a long one is no reason");
        nowNanos += GROUP_NANOS / 2 - 1;
        assertFalse(isOver(7));
        nowNanos++;
        assertTrue(isOver(7));
    }

    @Test
    void shouldCountItsPatienceFromWhenAllWereTold() {
        endGroup(8);
        endGroup(8);
        gathering.told(nowNanos + GROUP_NANOS / 4);
        nowNanos += GROUP_NANOS / 2;
        assertFalse(isOver(7));
        nowNanos += GROUP_NANOS / 4;
        assertTrue(isOver(7));
    }

    @Test
    void shouldNotWaitBesideAGroupThatTookNoTime() {
        for (int i = 0; i < 2; i++) {
            gathering.start(8, nowNanos, nowNanos + 90_000);
            nowNanos += 90_000;
        }
        assertTrue(isOver(1));
    }

    @Test
    void shouldWaitAMillisecondAtMost() {
        for (int i = 0; i < 2; i++) {
            gathering.start(8, nowNanos, nowNanos + 50_000_000);
            nowNanos += 50_000_000;
        }
        assertEquals(1_000_000, gathering.restNanos(nowNanos));
    }

    @Test
    void shouldNotWaitForAWhileAfterItWaitedInVain() {
        endGroup(8);
        endGroup(8);
        gathering.failed();
        endGroup(8);
        for (int group = 0; group < 16; group++) {
            assertTrue(isOver(1), "group " + group);
            endGroup(8);
        }
        assertFalse(isOver(1));
    }
}
