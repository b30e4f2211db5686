package org.kvmdb.tools.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PeerSystemTest {

    /** In the command line, in results, and between parent and child. */
    @ParameterizedTest
    @EnumSource
    void shouldBeFoundWhenCalledByItsLabel(PeerSystem system) {
        assertEquals(system, PeerSystem.of(system.label()));
    }

    @Test
    void shouldReadTheSameFilesByCallsWhenReadingIsMeasured() {
        assertEquals("kvmdb-calls", PeerSystem.KVMDB_CALLS.label());
        assertEquals(PeerSystem.KVMDB, PeerSystem.KVMDB_CALLS.owner());
        List<String> works = Works.all().stream()
                .filter(work -> work.systems().contains(PeerSystem.KVMDB_CALLS))
                .map(Work::name)
                .toList();
        assertEquals(List.of("reads", "scan"), works);
    }

    @Test
    void shouldHaveTheSameColourWhenOurs() {
        Work work = Works.of("scan");
        Results results = new Results(1, OptionalDouble.empty());
        for (PeerSystem system : PeerSystem.values()) {
            results.add("scan", system, 0, 1);
        }
        String svg = new BarChart(work, results, List.of(PeerSystem.values())).svg();
        assertEquals(2, svg.split(BarChart.OURS, -1).length - 1);
    }
}
