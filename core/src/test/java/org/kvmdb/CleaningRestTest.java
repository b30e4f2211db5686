package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class CleaningRestTest {

    private static final long LONG_NANOS = 3_600_000_000_000L;

    private final CleaningRest rest = new CleaningRest(LONG_NANOS);
    private final AtomicInteger steps = new AtomicInteger();

    private long step(long result) {
        steps.incrementAndGet();
        return result;
    }

    @Test
    void shouldMakeNoStepBeforeTheRestIsOver() {
        assertFalse(rest.clean(() -> step(LONG_NANOS / 2)));
        assertFalse(rest.clean(() -> step(0)));
        assertEquals(1, steps.get());
        assertTrue(rest.leftNanos() > 0 && rest.leftNanos() <= LONG_NANOS / 2, "" + rest.leftNanos());
    }

    @Test
    void shouldRestForAPeriodWhenThereIsNothingToDo() {
        assertFalse(rest.clean(() -> step(-1)));
        assertTrue(rest.leftNanos() > LONG_NANOS / 2, "" + rest.leftNanos());
    }

    @Test
    void shouldGoOnAtOnceWhenAStepSaysSo() {
        assertTrue(rest.clean(() -> step(0)));
        assertTrue(rest.clean(() -> step(0)));
        assertEquals(2, steps.get());
    }

    @Test
    void shouldMakeAStepWhenItIsWokenWhileItRests() {
        rest.clean(() -> step(-1));
        rest.wake();
        assertEquals(0, rest.leftNanos());
        rest.clean(() -> step(-1));
        assertEquals(2, steps.get());
    }

    @Test
    void shouldHearWhoWakesItWhileAStepIsUnderWay() {
        rest.clean(() -> {
            rest.wake();
            return step(-1);
        });
        assertEquals(0, rest.leftNanos());
        rest.clean(() -> step(-1));
        assertEquals(2, steps.get());
    }
}
