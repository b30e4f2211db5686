package org.kvmdb.tools.peers;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import org.kvmdb.tools.bench.Series;

/** What came out, by case, system and round; and what failed. */
final class Results {

    /** @param system null when it is the whole work that was not done */
    record Failure(String work, PeerSystem system, String message) {}

    private record Key(String measured, PeerSystem system) {}

    private final int rounds;
    private final OptionalDouble compression;
    private final Map<Key, Map<Integer, Double>> values = new LinkedHashMap<>();
    private final List<Failure> failures = new ArrayList<>();

    /** @param compression of the data, when they were looked at */
    Results(int rounds, OptionalDouble compression) {
        this.rounds = rounds;
        this.compression = compression;
    }

    OptionalDouble compression() {
        return compression;
    }

    int rounds() {
        return rounds;
    }

    void add(String measured, PeerSystem system, int round, double value) {
        values.computeIfAbsent(new Key(measured, system), key -> new TreeMap<>()).put(round, value);
    }

    /** Once for each way in which a work of a system failed. */
    void fail(String work, PeerSystem system, String message) {
        Failure failure = new Failure(work, system, message);
        if (!failures.contains(failure)) {
            failures.add(failure);
        }
    }

    List<Failure> failures() {
        return List.copyOf(failures);
    }

    List<Double> values(Case measured, PeerSystem system) {
        return List.copyOf(values.getOrDefault(new Key(measured.name(), system), Map.of()).values());
    }

    OptionalDouble value(Case measured, PeerSystem system, int round) {
        Double value = values.getOrDefault(new Key(measured.name(), system), Map.of()).get(round);
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
    }

    OptionalDouble median(Case measured, PeerSystem system) {
        List<Double> all = values(measured, system);
        return all.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(Series.median(all));
    }

    /** Median over the rounds of how many times better ours is, as memory, in the same round. */
    OptionalDouble advantage(Case measured, PeerSystem system) {
        List<Double> ratios = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            OptionalDouble ours = value(measured, PeerSystem.KVMDB, round);
            OptionalDouble theirs = value(measured, system, round);
            if (ours.isPresent() && theirs.isPresent()) {
                ratios.add(measured.advantage(ours.getAsDouble(), theirs.getAsDouble()));
            }
        }
        return ratios.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(Series.median(ratios));
    }
}
