package org.kvmdb.tools.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.kvmdb.StoreStatistics;
import org.kvmdb.tools.Durations;
import org.kvmdb.tools.Facts;
import org.kvmdb.tools.Sizes;

/** What the demo found, in words and in figures. */
final class DemoReport {

    private static final String ROW = "  %4s  %8s  %9s  %9s  %9s  %12s  %11s  %9s  %s";

    private final DemoSettings settings;
    private Demo.Import imported;
    private Demo.FaultPass faultPass;
    private final List<KillRound> rounds = new ArrayList<>();

    DemoReport(DemoSettings settings) {
        this.settings = settings;
    }

    void imported(Demo.Import result) {
        imported = result;
    }

    void faultPass(Demo.FaultPass result) {
        faultPass = result;
    }

    void killed(KillRound round) {
        rounds.add(round);
    }

    String importText() {
        return importFacts().asText();
    }

    private Facts importFacts() {
        return new Facts()
                .duration("took", "nanos", imported.nanos())
                .size("compressed to", "blockBytes", imported.blockBytes())
                .number("compression", "compressionRatio", compressionRatio(), " : 1")
                .size("written to disk", "bytesWritten", imported.bytesWritten());
    }

    String faultText() {
        return faultFacts().asText();
    }

    private Facts faultFacts() {
        StoreStatistics.Latency latency = faultPass.randomLatency();
        return new Facts()
                .count("pages compared", "pages", faultPass.pages())
                .duration("in random order", "randomNanos", faultPass.randomNanos())
                .count("page faults", "readFaults", faultPass.randomReadFaults())
                .duration("a fault, median", "faultP50Nanos", latency.p50Nanos())
                .duration("99 %", "faultP99Nanos", latency.p99Nanos())
                .duration("worst", "faultMaxNanos", latency.maxNanos())
                .duration("and in sequence", "sequentialNanos", faultPass.sequentialNanos())
                .size("cache in use", "residentBytes", faultPass.cache().residentBytes())
                .count("pages evicted", "evictedPages", faultPass.cache().evictedPages())
                .count("bad pages", "badPages", faultPass.cache().badPages());
    }

    static String killHeading() {
        return ROW.formatted(
                "kill", "ran for", "commits", "a second", "in flight", "kept of them", "reopened in", "replayed",
                "verdict");
    }

    static String killRow(KillRound round) {
        return ROW.formatted(
                round.number(),
                Durations.format(round.ranNanos()),
                grouped(round.commits()),
                grouped(Math.round(round.commitsPerSecond())),
                round.inFlight(),
                round.kept(),
                Durations.format(round.reopenNanos()),
                grouped(round.replayedRecords()),
                "exact, all " + grouped(round.pagesCompared()) + " pages");
    }

    String figuresText() {
        return figures().asText();
    }

    private Facts figures() {
        CommitRecord.Progress sum = workerSum();
        long commits = rounds.stream().mapToLong(KillRound::commits).sum();
        double seconds = rounds.stream().mapToLong(KillRound::ranNanos).sum() / 1e9;
        long[] reopenNanos = rounds.stream().mapToLong(KillRound::reopenNanos).sorted().toArray();
        HitCost hit = faultPass.hitCost();
        Facts facts = new Facts()
                .number("reading 8 bytes of a resident page", "hitNanos", hit.volumeNanos(), " ns")
                .number("the same of plain memory", "plainNanos", hit.plainNanos(), " ns")
                .share("so the volume has, of plain memory's speed,", "hitRatio", hit.ratio())
                .duration("a page fault, read and decompressed, median", "faultP50Nanos", faultP50Nanos())
                .duration("a page fault, 99.9 %", "faultP999Nanos", faultPass.randomLatency().p999Nanos())
                .number("compression", "compressionRatio", compressionRatio(), " : 1");
        if (rounds.isEmpty()) {
            return facts;
        }
        return facts.count("page faults of the workers", "workerFaults", sum.readFaults() + sum.writeFaults())
                .count("commits acknowledged", "commits", commits)
                .number("commits a second, durable", "commitsPerSecond", commits / seconds, "")
                .number("commits that shared a flush", "commitsPerFlush", (double) sum.commits() / sum.flushes(), "")
                .number("bytes written per byte changed", "bytesWrittenPerByteChanged", writtenPerChanged(sum), "")
                .number("bytes written per compressed byte", "bytesWrittenPerBlockByte", writtenPerBlock(sum), "")
                .duration("opening after a kill, median", "reopenP50Nanos", reopenNanos[reopenNanos.length / 2])
                .duration("opening after a kill, worst", "reopenMaxNanos", reopenNanos[reopenNanos.length - 1])
                .count("kills survived", "killsSurvived", rounds.size());
    }

    private CommitRecord.Progress workerSum() {
        return rounds.stream().map(KillRound::progress).reduce(CommitRecord.Progress.NONE, CommitRecord.Progress::plus);
    }

    private long faultP50Nanos() {
        return faultPass.randomLatency().p50Nanos();
    }

    private double compressionRatio() {
        return (double) settings.dataSizeBytes() / imported.blockBytes();
    }

    private static double writtenPerChanged(CommitRecord.Progress sum) {
        return (double) sum.bytesWritten() / sum.changedBytes();
    }

    private static double writtenPerBlock(CommitRecord.Progress sum) {
        return (double) sum.bytesWritten() / sum.blockBytes();
    }

    String verdict() {
        long commits = rounds.stream().mapToLong(KillRound::commits).sum();
        return "Everything holds: %s commits acknowledged before %d kills, every one of them there, no other in part."
                .formatted(grouped(commits), rounds.size());
    }

    /** All of it, for programs. */
    Facts facts() {
        return new Facts()
                .text("input", "input", settings.input())
                .size("size", "inputBytes", settings.inputBytes())
                .size("page size", "pageSizeBytes", settings.pageSizeBytes())
                .size("cache", "cacheSizeBytes", settings.cacheSizeBytes())
                .count("threads", "threads", settings.threads())
                .count("seed", "seed", settings.seed())
                .nested("import", importFacts())
                .nested("faultPass", faultFacts())
                .list("kills", rounds.stream().map(KillRound::facts).toList())
                .nested("figures", figures())
                .flag("proven", "proven", true);
    }

    static String heading(DemoSettings settings, Demo demo) {
        return new Facts()
                .text("input", "input", settings.input() + ", " + Sizes.format(settings.inputBytes()))
                .text("cache", "cache", Sizes.format(settings.cacheSizeBytes()) + ", a quarter of it")
                .text("store", "store", demo.storeDirectory())
                .text("seed", "seed", settings.seed())
                .asText();
    }

    private static String grouped(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }
}
