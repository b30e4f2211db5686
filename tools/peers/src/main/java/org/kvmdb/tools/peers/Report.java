package org.kvmdb.tools.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.kvmdb.tools.Facts;
import org.kvmdb.tools.TextTable;
import org.kvmdb.tools.bench.Figure;

/** What is printed: all that was measured, by work; then our figures beside the best of the others, with their aims. */
final class Report {

    private final Settings settings;
    private final Results results;

    Report(Settings settings, Results results) {
        this.settings = settings;
        this.results = results;
    }

    /** The systems of this run: role, version, heap. */
    List<Facts> systems() {
        return settings.systems().stream()
                .map(system -> new Facts()
                        .text("system", "name", system.label())
                        .text("is", "what", system.what())
                        .text("version", "version", version(system))
                        .size("heap", "heapBytes", system.heapBytes(settings.limitBytes())))
                .toList();
    }

    /** A library that cannot be loaded here fails in its works, with a reason, and not before them. */
    private static String version(PeerSystem system) {
        try {
            return system.version();
        } catch (LinkageError | RuntimeException e) {
            return "unknown";
        }
    }

    List<Facts> rows(Work work) {
        List<Facts> rows = new ArrayList<>();
        for (Case measured : work.cases()) {
            for (PeerSystem system : settings.systems()) {
                row(work, measured, system, rows);
            }
        }
        return rows;
    }

    private void row(Work work, Case measured, PeerSystem system, List<Facts> rows) {
        List<Double> values = results.values(measured, system);
        if (values.isEmpty()) {
            return;
        }
        rows.add(new Facts()
                .text(null, "work", work.name())
                .text("case", "case", measured.name())
                .text(null, "what", measured.what())
                .text("system", "system", system.label())
                .number("median", "median", results.median(measured, system).getAsDouble(), "")
                .text("unit", "unit", measured.unit())
                .number("lowest", "lowest", values.stream().mapToDouble(value -> value).min().getAsDouble(), "")
                .number("highest", "highest", values.stream().mapToDouble(value -> value).max().getAsDouble(), "")
                .numbers("rounds", values)
                .text("better", "better", measured.moreIsBetter() ? "more" : "less")
                .number("kvmdb is better by", "advantage", advantage(measured, system), ""));
    }

    /** Of our store as memory; beside our own reads by calls it says how the two ways compare. */
    private double advantage(Case measured, PeerSystem system) {
        OptionalDouble advantage =
                system == PeerSystem.KVMDB ? OptionalDouble.empty() : results.advantage(measured, system);
        return advantage.orElse(Double.NaN);
    }

    List<Facts> allRows() {
        return settings.works().stream().flatMap(work -> rows(work).stream()).toList();
    }

    List<Facts> figures() {
        return settings.works().stream()
                .flatMap(work -> work.goals().stream())
                .flatMap(goal -> goal.figure(results).stream())
                .map(Figure::facts)
                .toList();
    }

    List<Facts> failures() {
        return results.failures().stream()
                .map(failure -> new Facts()
                        .text("work", "work", failure.work())
                        .text("system", "system", failure.system() == null ? "all" : failure.system().label())
                        .text("failed", "message", failure.message()))
                .toList();
    }

    String text() {
        String newLine = System.lineSeparator();
        StringBuilder text = new StringBuilder();
        for (Work work : settings.works()) {
            text.append(newLine).append(work.name()).append(": ").append(work.what()).append(newLine);
            text.append(TextTable.of(rows(work)));
        }
        text.append(newLine).append(TextTable.of(figures()));
        if (!results.failures().isEmpty()) {
            text.append(newLine).append(TextTable.of(failures()));
        }
        return text.toString();
    }
}
