package org.kvmdb.tools;

import java.nio.file.Path;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.kvmdb.telemetry.CountersSnapshot;
import org.kvmdb.tools.Metrics.Kind;
import org.kvmdb.tools.Metrics.Metric;

/**
 * A store's counters in the text format that Prometheus collects. Names follow its rules: {@code kvmdb_}, snake case, the unit
 * as the last word and {@code _total} behind what only grows; durations are in seconds. {@link Metrics} says what is what.
 */
final class PrometheusText {

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
        text.gauge("kvmdb_up", "Whether a process has the store open", snapshot.isRunning() ? 1 : 0);
        text.gauge(
                "kvmdb_published_timestamp_seconds",
                "When the figures were published, in seconds since 1970",
                snapshot.published().toEpochMilli() / 1e3);
        snapshot.counters().forEach(text::counter);
        snapshot.latencies().forEach(text::summary);
        return text.text.toString();
    }

    private void counter(String name, long value) {
        if (name.startsWith("latencies.")) {
            return; // these are summaries
        }
        Metric metric = Metrics.of(name);
        boolean isTime = name.endsWith("Nanos");
        String base = snake(isTime ? name.replaceFirst("Nanos$", "Seconds") : name);
        metric(metric.kind() == Kind.COUNTER ? base + "_total" : base, metric, isTime ? value / 1e9 : value);
    }

    private static String snake(String name) {
        return "kvmdb_" + name.replace('.', '_').replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
    }

    private void header(String name, Metric metric) {
        if (!metric.help().isEmpty()) {
            text.append("# HELP ").append(name).append(' ').append(metric.help()).append(".\n");
        }
        text.append("# TYPE ").append(name).append(' ').append(metric.kind().name().toLowerCase(Locale.ROOT)).append('\n');
    }

    private void gauge(String name, String help, double value) {
        metric(name, new Metric(Kind.GAUGE, help), value);
    }

    private void metric(String name, Metric metric, double value) {
        header(name, metric);
        sample(name, "", value);
    }

    private void summary(String kind, Histogram nanos) {
        String name = snake(kind) + "_seconds";
        header(name, new Metric(Kind.SUMMARY, Metrics.of(kind).help()));
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
