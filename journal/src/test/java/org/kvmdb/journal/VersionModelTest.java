package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.kvmdb.journal.simulation.KeptDevice;

/**
 * Snapshots, clones, rollbacks and deletions in pieces beside everything else that a journal does, against whole copies; after
 * every step all space is accounted for anew, and no node is in memory that nobody needs.
 */
class VersionModelTest {

    private static final int STEPS = 600;

    @ParameterizedTest
    @CsvSource({"1,1", "2,1", "3,1", "4,1", "5,300", "6,300", "7,300", "8,100000", "9,300000000"})
    void shouldHoldWhatWholeCopiesHold(long seed, long stride) {
        final JournalOptions options = Workload.tinyOptions().withMaxSizeBytes((1 << 20) + 192 * (64 << 10));
        try (Workload work = new Workload(new KeptDevice(new MemoryDevice("versions")), options, seed).withStride(stride)) {
            work.create();
            for (int i = 0; i < STEPS; i++) {
                try {
                    work.randomStep();
                    SpaceCheck.check(work.journal());
                    if (i % 8 == 0) {
                        assertEquals(work.model().now(), StoreModel.read(work.journal()));
                    }
                } catch (RuntimeException | AssertionError e) {
                    throw new AssertionError("seed %d, step %d: %s".formatted(seed, i, e.getMessage()), e);
                }
            }
            work.dropAll();
            work.checkpoint();
            SpaceCheck.check(work.journal());
            assertEquals(work.model().now(), StoreModel.read(work.journal()));
        }
    }
}
