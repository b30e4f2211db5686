package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tag;
import net.jqwik.api.Tuple;

/**
 * Histories of everything that can be done to a store, against plain arrays of bytes, and crashes at random device operations
 * of each: of the process, and of the machine. A failure prints the shrunk history and the seed.
 */
class StoreModelTest {

    private interface Action {
        void on(StoreModel model);
    }

    /** Something to do, and what it is called in a report. */
    record Step(String name, Action action) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** Where to crash, as a part of all operations. */
    record CrashPoint(double where, boolean powerLoss, long seed) {}

    @Property(tries = 60, seed = "20260117", shrinking = ShrinkingMode.BOUNDED)
    void shouldHoldWhatAPlainMapOfBytesHoldsAlsoAfterCrashes(
            @ForAll("histories") List<Step> history, @ForAll("crashes") List<CrashPoint> crashes) throws IOException {
        run(history, crashes);
    }

    /** As above, with another seed each time: part of the long tests. */
    @Tag("long")
    @Property(tries = 2000, shrinking = ShrinkingMode.BOUNDED)
    void shouldHoldWhatAPlainMapOfBytesHoldsForManySeeds(
            @ForAll("histories") List<Step> history, @ForAll("crashes") List<CrashPoint> crashes) throws IOException {
        run(history, crashes);
    }

    /** A canary: proves that crashes bring a bug to light, by planting one. */
    @Example
    void shouldCatchAStoreThatSkipsItsFlushes() throws IOException {
        final Path directory = Files.createTempDirectory("kvmdb-model");
        try (StoreModel model = new StoreModel(directory)) {
            model.skipFlushes();
            for (int i = 0; i < 10; i++) {
                model.write(0, i / 10.0, 5000, i, false);
                model.commit();
            }
            assertThrows(AssertionError.class, () -> {
                for (int seed = 0; seed < 5; seed++) {
                    model.crash(model.operations(), true, seed, directory.resolve("crash" + seed));
                }
            });
        } finally {
            TestStores.deleteTree(directory);
        }
    }

    private static void run(List<Step> history, List<CrashPoint> crashes) throws IOException {
        final Path directory = Files.createTempDirectory("kvmdb-model");
        try (StoreModel model = new StoreModel(directory)) {
            final int first = model.operations();
            for (Step step : history) {
                step.action.on(model);
            }
            model.check();
            model.checkClosed();
            for (int i = 0; i < crashes.size(); i++) {
                final CrashPoint crash = crashes.get(i);
                final int at = first + (int) (crash.where * (model.operations() - first));
                model.crash(at, crash.powerLoss, crash.seed, directory.resolve("crash" + i));
            }
        } finally {
            TestStores.deleteTree(directory);
        }
    }

    @Provide
    Arbitrary<List<CrashPoint>> crashes() {
        return Combinators.combine(
                        Arbitraries.doubles().between(0, 1), Arbitraries.of(true, false), Arbitraries.longs())
                .as(CrashPoint::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(4);
    }

    @Provide
    Arbitrary<List<Step>> histories() {
        final Arbitrary<Integer> which = Arbitraries.integers().between(0, 119);
        return Arbitraries.frequencyOf(
                        Tuple.of(12, writes(which)),
                        Tuple.of(4, Arbitraries.just(new Step("commit", StoreModel::commit))),
                        Tuple.of(2, Arbitraries.just(new Step("commitAsync", StoreModel::commitAsync))),
                        Tuple.of(1, Arbitraries.just(new Step("sync", StoreModel::sync))),
                        Tuple.of(2, which.map(v -> new Step("commit " + v, m -> m.commitOne(v)))),
                        Tuple.of(1, Arbitraries.just(new Step("rollback", StoreModel::rollback))),
                        Tuple.of(1, which.map(v -> new Step("rollback " + v, m -> m.rollbackOne(v)))),
                        Tuple.of(4, which.map(v -> new Step("snapshot " + v, m -> m.snapshot(v)))),
                        Tuple.of(1, which.map(v -> new Step("snapshotCommitted " + v, m -> m.snapshotCommitted(v)))),
                        Tuple.of(1, Arbitraries.just(new Step("snapshotAll", StoreModel::snapshotAll))),
                        Tuple.of(3, which.map(s -> new Step("clone " + s, m -> m.cloneSnapshot(s)))),
                        Tuple.of(3, which.map(s -> new Step("rollbackTo " + s, m -> m.rollbackTo(s)))),
                        Tuple.of(4, which.map(s -> new Step("deleteSnapshot " + s, m -> m.deleteSnapshot(s)))),
                        Tuple.of(2, which.map(v -> new Step("deleteVolume " + v, m -> m.deleteVolume(v)))),
                        Tuple.of(1, Arbitraries.just(new Step("checkpoint", StoreModel::checkpoint))),
                        Tuple.of(1, Arbitraries.just(new Step("reopen", StoreModel::reopen))),
                        Tuple.of(2, resizes(which)))
                .list()
                .ofMinSize(3)
                .ofMaxSize(60);
    }

    private static Arbitrary<Step> writes(Arbitrary<Integer> which) {
        final Arbitrary<Integer> lengths = Arbitraries.frequencyOf(
                Tuple.of(4, Arbitraries.integers().between(1, 200)),
                Tuple.of(3, Arbitraries.integers().between(3000, 20_000)),
                Tuple.of(1, Arbitraries.integers().between(20_000, 400_000)));
        return Combinators.combine(
                        which,
                        Arbitraries.doubles().between(0, 1),
                        lengths,
                        Arbitraries.longs(),
                        Arbitraries.of(true, false))
                .as((v, where, length, seed, compresses) -> new Step(
                        "write volume=%d where=%s length=%d seed=%d compresses=%s"
                                .formatted(v, where, length, seed, compresses),
                        m -> m.write(v, where, length, seed, compresses)));
    }

    private static Arbitrary<Step> resizes(Arbitrary<Integer> which) {
        return Combinators.combine(which, Arbitraries.integers().between(1, StoreModel.PAGES_MAX))
                .as((v, pages) -> new Step("resize volume=%d pages=%d".formatted(v, pages), m -> m.resize(v, pages)));
    }
}
