package org.kvmdb.tools.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.kvmdb.tools.bench.Figure;
import org.kvmdb.tools.bench.Figure.Aim;

class GoalTest {

    private static final Case RATE = Case.rate("r", "rate", "/s");
    private static final Case COST = Case.cost("c", "cost", "us");

    private final Results results = new Results(2, OptionalDouble.empty());

    private void add(Case measured, PeerSystem system, double... values) {
        for (int round = 0; round < values.length; round++) {
            results.add(measured.name(), system, round, values[round]);
        }
    }

    private Figure figure(Case measured, Reference reference, Aim aim) {
        return new Goal("g", measured, reference, aim).figure(results).orElseThrow();
    }

    @Test
    void shouldCompareSpeedsWhenTheAimIsALowerBound() {
        add(RATE, PeerSystem.KVMDB, 30, 40);
        add(RATE, PeerSystem.LMDB, 10, 20);
        add(COST, PeerSystem.KVMDB, 10, 10);
        add(COST, PeerSystem.LMDB, 20, 40);
        assertEquals(2.5, figure(RATE, Reference.bestStore(), Aim.atLeast(2)).ratio());
        assertEquals(3, figure(COST, Reference.bestStore(), Aim.atLeast(2)).ratio());
    }

    @Test
    void shouldCompareWhatWasMeasuredWhenTheAimIsAnUpperBound() {
        add(COST, PeerSystem.KVMDB, 115, 100);
        add(COST, PeerSystem.FILE, 100, 100);
        assertEquals(1.075, figure(COST, Reference.of(PeerSystem.FILE), Aim.atMost(1.15)).ratio(), 1e-9);
        assertEquals(0.5375, figure(COST, Reference.constant("200", 200), Aim.atMost(1)).ratio(), 1e-9);
    }

    @Test
    void shouldTakeTheBestStoreWhenFilesAreBetterStill() {
        add(RATE, PeerSystem.KVMDB, 10, 10);
        add(RATE, PeerSystem.H2, 1, 1);
        add(RATE, PeerSystem.ROCKSDB, 5, 5);
        add(RATE, PeerSystem.FILE, 20, 20);
        assertEquals("rocksdb, the best", figure(RATE, Reference.bestStore(), Aim.NONE).peer());
        assertEquals("file, the best", figure(RATE, Reference.bestOfAll(), Aim.NONE).peer());
        add(COST, PeerSystem.KVMDB, 10);
        add(COST, PeerSystem.H2, 1);
        add(COST, PeerSystem.ROCKSDB, 5);
        assertEquals("h2, the best", figure(COST, Reference.bestStore(), Aim.NONE).peer());
    }

    @Test
    void shouldTakeNeitherForAPeerWhenBothWaysOfOursAreTold() {
        add(RATE, PeerSystem.KVMDB, 10, 10);
        add(RATE, PeerSystem.KVMDB_CALLS, 30, 30);
        add(RATE, PeerSystem.FILE, 5, 5);
        List<Figure> figures = new Goal("g", RATE, Reference.bestOfAll(), Aim.atLeast(3))
                .bothWays()
                .flatMap(goal -> goal.figure(results).stream())
                .toList();
        assertEquals(List.of("g", "g-calls"), figures.stream().map(Figure::name).toList());
        assertEquals(List.of(10.0, 30.0), figures.stream().map(Figure::value).toList());
        assertEquals(List.of(2.0, 6.0), figures.stream().map(Figure::ratio).toList());
        assertEquals("file, the best", figures.getFirst().peer());
        assertEquals(figures.getFirst().peer(), figures.getLast().peer());
    }

    @Test
    void shouldBeAbsentWhenEitherSideFailed() {
        add(RATE, PeerSystem.KVMDB, 10);
        assertTrue(new Goal("g", RATE, Reference.bestStore(), Aim.NONE).figure(results).isEmpty());
        add(COST, PeerSystem.LMDB, 10);
        assertTrue(new Goal("g", COST, Reference.bestStore(), Aim.NONE).figure(results).isEmpty());
        results.add(RATE.name(), PeerSystem.LMDB, 1, 10);
        assertTrue(new Goal("g", RATE, Reference.bestStore(), Aim.NONE).figure(results).isEmpty());
    }
}
