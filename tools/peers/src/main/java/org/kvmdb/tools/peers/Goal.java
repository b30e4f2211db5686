package org.kvmdb.tools.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.kvmdb.tools.bench.Figure;
import org.kvmdb.tools.bench.Figure.Aim;
import org.kvmdb.tools.bench.Series;

/**
 * What a case of ours is to come to, beside something else of the same run. Bounds from below are on speeds, bounds from above on what was
 * measured; the other kind of unit is turned round for it.
 *
 * @param name of the figure, stable, for scripts
 * @param ours whose figure it is, of the ways in which this store is measured
 */
record Goal(String name, PeerSystem ours, Case measured, Reference reference, Aim aim) {

    Goal(String name, Case measured, Reference reference, Aim aim) {
        this(name, PeerSystem.KVMDB, measured, reference, aim);
    }

    /** It, and the same of reads by calls. */
    Stream<Goal> bothWays() {
        return Stream.of(this, new Goal(name + "-calls", PeerSystem.KVMDB_CALLS, measured, reference, aim));
    }

    /** Empty when ours, or what it is compared with, was not measured. */
    Optional<Figure> figure(Results results) {
        String label = reference.label(results, measured);
        OptionalDouble median = results.median(measured, ours);
        if (label.isEmpty() || median.isEmpty()) {
            return Optional.empty();
        }
        List<Double> references = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        for (int round = 0; round < results.rounds(); round++) {
            OptionalDouble value = results.value(measured, ours, round);
            OptionalDouble beside = reference.value(results, measured, round);
            if (value.isPresent() && beside.isPresent()) {
                references.add(beside.getAsDouble());
                ratios.add(ratio(value.getAsDouble(), beside.getAsDouble()));
            }
        }
        return ratios.isEmpty()
                ? Optional.empty()
                : Optional.of(new Figure(
                        name,
                        measured.what(),
                        median.getAsDouble(),
                        measured.unit(),
                        label,
                        Series.median(references),
                        Series.median(ratios),
                        aim));
    }

    private double ratio(double own, double theirs) {
        boolean speeds = !aim.exists() || !aim.upper();
        return speeds ? measured.advantage(own, theirs) : own / theirs;
    }
}
