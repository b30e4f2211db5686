package org.kvmdb.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.kvmdb.telemetry.CountersFile;
import org.kvmdb.telemetry.CountersSnapshot;

/** The counters file of a store, as facts. */
final class StoreCounters {

    /** Distributions are shown as a table of their own. */
    private static final String LATENCIES = "latencies.";

    private StoreCounters() {}

    static CountersSnapshot read(Path directory) throws IOException {
        try {
            return CountersFile.read(directory);
        } catch (NoSuchFileException e) {
            throw new CommandFailedException(
                    Files.isDirectory(directory)
                            ? "no counters in %s: no store there was opened yet, or it was opened without a counters file"
                                    .formatted(directory)
                            : "no directory %s: name that of a store".formatted(directory),
                    e);
        }
    }

    /** Whether the store is open, and how old the figures are. */
    static String state(CountersSnapshot snapshot) {
        if (snapshot.isClosed()) {
            return "closed by process %d at %s".formatted(snapshot.process(), seconds(snapshot.published()));
        }
        if (snapshot.isRunning()) {
            return "open in process %d since %s; the figures are %s old"
                    .formatted(snapshot.process(), seconds(snapshot.started()), age(snapshot));
        }
        return "not closed: process %d is gone; the figures are of %s"
                .formatted(snapshot.process(), seconds(snapshot.published()));
    }

    private static String seconds(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private static String age(CountersSnapshot snapshot) {
        return Durations.format(Math.max(0, Duration.between(snapshot.published(), Instant.now()).toNanos()));
    }

    /** For programs: everything under the name that it has in the file, grouped by what stands before the dot. */
    static Facts facts(Path directory, CountersSnapshot snapshot) {
        Facts facts = new Facts()
                .text("store", "store", directory)
                .text("state", "state", snapshot.isClosed() ? "closed" : snapshot.isRunning() ? "open" : "died")
                .count("process", "process", snapshot.process())
                .text("started", "started", snapshot.started())
                .text("published", "published", snapshot.published());
        groups(snapshot).forEach(facts::nested);
        Facts latencies = new Facts();
        snapshot.latencies().forEach((name, nanos) -> latencies.nested(name, latency(name, nanos)));
        return facts.nested("latencies", latencies);
    }

    static String text(Path directory, CountersSnapshot snapshot) {
        StringBuilder text = new StringBuilder();
        text.append("store ").append(directory).append(": ").append(state(snapshot)).append(System.lineSeparator());
        groups(snapshot).forEach((name, facts) -> text.append(System.lineSeparator())
                .append(name)
                .append(System.lineSeparator())
                .append(facts.asText()));
        text.append(System.lineSeparator()).append("latencies").append(System.lineSeparator());
        return text.append(latencyTable(snapshot.latencies())).toString();
    }

    /** Those that something was counted in. */
    static String latencyTable(Map<String, Histogram> latencies) {
        List<Facts> rows = new ArrayList<>();
        latencies.forEach((name, nanos) -> {
            if (nanos.getTotalCount() > 0) {
                rows.add(latency(name, nanos));
            }
        });
        return TextTable.of(rows, "nothing yet");
    }

    private static Facts latency(String name, Histogram nanos) {
        return new Facts()
                .text("what", "what", StoreFacts.label(name))
                .count("count", "count", nanos.getTotalCount())
                .duration("p50", "p50Nanos", nanos.getValueAtPercentile(50))
                .duration("p90", "p90Nanos", nanos.getValueAtPercentile(90))
                .duration("p99", "p99Nanos", nanos.getValueAtPercentile(99))
                .duration("p99.9", "p999Nanos", nanos.getValueAtPercentile(99.9))
                .duration("max", "maxNanos", nanos.getMaxValue());
    }

    private static Map<String, Facts> groups(CountersSnapshot snapshot) {
        Map<String, Facts> groups = new LinkedHashMap<>();
        snapshot.counters().forEach((name, value) -> {
            if (!name.startsWith(LATENCIES)) {
                int dot = name.indexOf('.');
                StoreFacts.addByUnit(
                        groups.computeIfAbsent(name.substring(0, Math.max(dot, 0)), group -> new Facts()),
                        name.substring(dot + 1),
                        value);
            }
        });
        return groups;
    }
}
