package org.kvmdb.tools.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.kvmdb.tools.bench.Figure;
import org.kvmdb.tools.bench.Figure.Aim;
import org.kvmdb.tools.bench.Series;

/**
 * What a case is to come to, beside something else of the same run. Bounds from below are on speeds, bounds from above on what was
 * measured; the other kind of unit is turned round for it.
 *
 * @param name of the figure, stable, for scripts
 */
record Goal(String name, Case measured, Reference reference, Aim aim) {

    /** Empty when ours, or what it is compared with, was not measured. */
    Optional<Figure> figure(Results results) {
        String label = reference.label(results, measured);
        OptionalDouble ours = results.median(measured, PeerSystem.KVMDB);
        if (label.isEmpty() || ours.isEmpty()) {
            return Optional.empty();
        }
        List<Double> references = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        for (int round = 0; round < results.rounds(); round++) {
            OptionalDouble value = results.value(measured, PeerSystem.KVMDB, round);
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
                        ours.getAsDouble(),
                        measured.unit(),
                        label,
                        Series.median(references),
                        Series.median(ratios),
                        aim));
    }

    private double ratio(double ours, double theirs) {
        boolean speeds = !aim.exists() || !aim.upper();
        return speeds ? measured.advantage(ours, theirs) : ours / theirs;
    }
}
