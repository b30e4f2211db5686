package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.kvmdb.journal.simulation.KeptDevice;

/** The time of day goes back, leaps and stands still: order and cleaning depend on generations only. */
class ClockTest {

    private static final Instant START = Instant.parse("2026-06-15T12:00:00Z");
    private static final Duration TEN_YEARS = Duration.ofDays(3653);
    private static final int STEPS = 150;

    /** What a clock must not change. */
    private record Course(int commits, long sequence, long liveBytes, long checkpoints, List<String> versions) {}

    /** Ten years on, ten years back, whenever it is asked. */
    private static InstantSource leaping() {
        final Random random = new Random(1);
        return () -> START.plus(TEN_YEARS.multipliedBy(random.nextInt(3) - 1));
    }

    private static InstantSource backwards() {
        final long[] asked = new long[1];
        return () -> START.minusSeconds(asked[0]++);
    }

    private static Course course(long seed, InstantSource clock) {
        final KeptDevice disk = new KeptDevice(new MemoryDevice("clock"));
        // Segments so large that it makes no difference where one ends: times compress better or worse, by some bytes.
        final JournalOptions options = Workload.tinyOptions()
                .withSegmentSizeBytes(1 << 20)
                .withMaxSizeBytes(64 << 20)
                .withRandom(new Random(seed))
                .withClock(clock);
        try (Workload work = new Workload(disk, options, seed)) {
            work.create();
            for (int step = 0; step < STEPS; step++) {
                work.randomStep();
                if (step % 25 == 24) {
                    work.clean(4);
                    work.checkpoint();
                    work.kill();
                    work.reopen();
                }
            }
            SpaceCheck.check(work.journal());
            final JournalStatistics statistics = work.journal().statistics();
            return new Course(
                    work.acked(), statistics.sequence(), statistics.liveBytes(), statistics.checkpoints(),
                    work.journal().versions().snapshots().stream().map(Version::name).toList());
        } finally {
            disk.dispose();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 4, 5, 25, 27})
    void shouldTakeTheSameCourseWhateverTheClockSays(long seed) {
        final Course expected = course(seed, () -> START);
        assertTrue(expected.commits > STEPS / 3, expected::toString);
        assertEquals(expected, course(seed, InstantSource.system()));
        assertEquals(expected, course(seed, leaping()));
        assertEquals(expected, course(seed, backwards()));
    }

    @Test
    void shouldTellWhatTheClockSaidWhenASnapshotWasTaken() {
        final KeptDevice disk = new KeptDevice(new MemoryDevice("clock"));
        try (Workload work = new Workload(disk, Workload.tinyOptions().withClock(() -> START), 1)) {
            work.create();
            work.createVolume("a", 64 << 12, 12);
            work.snapshot("a", "s");
            work.kill();
            work.reopen();
            assertEquals(START.toEpochMilli(), work.journal().versions().snapshots().getFirst().createdMillis());
        } finally {
            disk.dispose();
        }
    }
}
