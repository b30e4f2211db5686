package org.kvmdb.tools;

import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.kvmdb.telemetry.CountersSnapshot;

/** What {@code kvmdb top} shows of one interval. */
final class TopFrame {

    private static final int BAR_WIDTH = 40;
    private static final String ROW = "%-9s %s%n";

    private final Path directory;
    private final CountersSnapshot before;
    private final CountersSnapshot now;
    private final double seconds;

    TopFrame(Path directory, CountersSnapshot before, CountersSnapshot now) {
        this.directory = directory;
        this.before = before;
        this.now = now;
        this.seconds = Duration.between(before.published(), now.published()).toNanos() / 1e9;
    }

    String text() {
        StringBuilder text = new StringBuilder();
        text.append("store ").append(directory).append(": ").append(StoreCounters.state(now)).append("%n%n".formatted());
        row(text, "faults", "read %s  write %s  first write %s  filled %s pages  bad %,d".formatted(
                rate("cache.readFaults"), rate("cache.writeFaults"), rate("cache.firstWriteFaults"),
                rate("cache.filledPages"), now.counter("cache.badPages")));
        row(text, "", "read ahead %s pages  used %s".formatted(
                rate("cache.readAheadPages"), rate("cache.readAheadUsedPages")));
        row(text, "calls", "read past frames %s pages  written unread %s".formatted(
                rate("cache.passedPages"), rate("cache.overwrittenPages")));
        row(text, "cache", bar(now.counter("cache.residentBytes"), now.counter("cache.budgetBytes")));
        row(text, "tier", bar(now.counter("cache.tierBytes"), now.counter("cache.budgetBytes")));
        row(text, "", "compressed blocks %,d  pages from it %s  from the device %s  declined %s".formatted(
                now.counter("cache.tierBlocks"), rate("cache.tierHits"), rate("cache.tierMisses"),
                rate("cache.tierDeclined")));
        row(text, "dirty", bar(now.counter("cache.dirtyBytes"), now.counter("cache.budgetBytes")));
        row(text, "", "evicted %s  stolen %s  spilled %s  copied aside %s".formatted(
                rate("cache.evictedPages"), rate("cache.stolenPages"), rate("cache.spilledPages"),
                rate("cache.copiedAside")));
        row(text, "log", "commits %s  pages %s  flushes %s  written %s".formatted(
                rate("log.commits"), rate("log.committedPages"), rate("log.flushes"), bytes("log.bytesWritten")));
        row(text, "", "checkpoints %,d  not durable yet %,d batches".formatted(
                now.counter("log.checkpoints"), now.counter("log.sequence") - now.counter("log.durableSequence")));
        row(text, "cleaner", "segments %s  blocks %s  written %s  bad blocks %,d".formatted(
                rate("cleaning.segments"), rate("cleaning.blocks"), bytes("cleaning.bytesWritten"),
                now.counter("cleaning.badBlocks")));
        row(text, "space", "on disk %s  live %s  free in segments %s  map in memory %s".formatted(
                Sizes.format(now.counter("log.fileBytes")), Sizes.format(now.counter("log.liveBytes")),
                Sizes.format(now.counter("log.freeBytes")), Sizes.format(now.counter("log.mapBytes"))));
        return text.append(System.lineSeparator()).append(StoreCounters.latencyTable(latencies())).toString();
    }

    private static void row(StringBuilder text, String name, String values) {
        text.append(ROW.formatted(name, values));
    }

    private double perSecond(String counter) {
        return seconds <= 0 ? 0 : Math.max(0, now.counter(counter) - before.counter(counter)) / seconds;
    }

    private String rate(String counter) {
        double rate = perSecond(counter);
        return (rate >= 1000 ? String.format(Locale.ROOT, "%,d", Math.round(rate)) : Sizes.significant(rate)) + "/s";
    }

    private String bytes(String counter) {
        return Sizes.format(Math.round(perSecond(counter))) + "/s";
    }

    private static String bar(long part, long whole) {
        int filled = whole <= 0 ? 0 : (int) Math.clamp(part * (double) BAR_WIDTH / whole, 0, BAR_WIDTH);
        return "[%s%s] %s of %s".formatted(
                "#".repeat(filled), "-".repeat(BAR_WIDTH - filled), Sizes.format(part), Sizes.format(whole));
    }

    /** Of the interval alone. */
    private Map<String, Histogram> latencies() {
        Map<String, Histogram> interval = new LinkedHashMap<>();
        now.latencies().forEach((name, nanos) -> {
            Histogram difference = nanos.copy();
            difference.subtract(before.latency(name));
            interval.put(name, difference);
        });
        return interval;
    }
}
