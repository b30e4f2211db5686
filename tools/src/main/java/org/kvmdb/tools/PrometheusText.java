package org.kvmdb.tools;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import org.HdrHistogram.Histogram;
import org.kvmdb.telemetry.CountersSnapshot;

/**
 * A store's counters in the text format that Prometheus collects. Names follow its rules: {@code kvmdb_}, snake case, the unit
 * as the last word and {@code _total} behind what only grows; durations are in seconds.
 */
final class PrometheusText {

    /** What goes up and down; all else only grows while a store is open. */
    private static final Set<String> GAUGES = Set.of(
            "cache.budgetBytes", "cache.residentBytes", "cache.dirtyBytes", "log.liveBytes", "log.freeBytes",
            "log.fileBytes", "log.mapBytes", "log.dictionaryBytes", "log.recoveryNanos", "log.replayedRecords", "log.cutBatches", "log.sequence",
            "log.durableSequence");

    private static final double[] QUANTILES = {0.5, 0.9, 0.99, 0.999};

    private final StringBuilder text = new StringBuilder();
    private final String store;

    private PrometheusText(Path directory) {
        store = "store=\"%s\"".formatted(directory.toString()
                .replace("\\", "\\\\")
                .replace("\"", "\\\"")
                .replace("\n", "\\n"));
    }

    static String of(Path directory, CountersSnapshot snapshot) {
        PrometheusText text = new PrometheusText(directory);
        text.metric("kvmdb_up", "gauge", snapshot.isRunning() ? 1 : 0);
        text.metric("kvmdb_published_timestamp_seconds", "gauge", snapshot.published().toEpochMilli() / 1e3);
        snapshot.counters().forEach(text::counter);
        snapshot.latencies().forEach(text::summary);
        return text.text.toString();
    }

    private void counter(String name, long value) {
        if (name.startsWith("latencies.")) {
            return; // these are summaries
        }
        boolean isGauge = GAUGES.contains(name);
        boolean isTime = name.endsWith("Nanos");
        String base = snake(isTime ? name.replaceFirst("Nanos$", "Seconds") : name);
        metric(base + (isGauge ? "" : "_total"), isGauge ? "gauge" : "counter", isTime ? value / 1e9 : value);
    }

    private static String snake(String name) {
        return "kvmdb_" + name.replace('.', '_').replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
    }

    private void type(String name, String type) {
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    private void metric(String name, String type, double value) {
        type(name, type);
        sample(name, "", value);
    }

    private void summary(String kind, Histogram nanos) {
        String name = snake(kind) + "_seconds";
        type(name, "summary");
        for (double quantile : QUANTILES) {
            sample(name, ",quantile=\"" + quantile + "\"", nanos.getValueAtPercentile(quantile * 100) / 1e9);
        }
        sample(name + "_sum", "", nanos.getTotalCount() == 0 ? 0 : nanos.getMean() * nanos.getTotalCount() / 1e9);
        sample(name + "_count", "", nanos.getTotalCount());
    }

    private void sample(String name, String label, double value) {
        text.append(name).append('{').append(store).append(label).append("} ");
        text.append(value == Math.rint(value) && Math.abs(value) < 1L << 53
                ? Long.toString((long) value)
                : Double.toString(value));
        text.append('\n');
    }
}
