package org.kvmdb.tools.bench;

import java.util.ArrayList;
import java.util.List;

/** A value and its peer, round by round. */
public final class Series {

    private final List<Double> values = new ArrayList<>();
    private final List<Double> peers = new ArrayList<>();

    public void add(double value, double peer) {
        values.add(value);
        peers.add(peer);
    }

    /** Value over peer. The ratio is taken within each round, so that a slow moment of the machine hits both. */
    public Figure figure(String name, String what, String unit, String peer, Figure.Aim aim) {
        List<Double> ratios = new ArrayList<>();
        for (int round = 0; round < values.size(); round++) {
            ratios.add(values.get(round) / peers.get(round));
        }
        return new Figure(name, what, median(values), unit, peer, median(peers), median(ratios), aim);
    }

    public static double median(List<Double> values) {
        if (values.isEmpty()) {
            return Double.NaN;
        }
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }
}
