package org.kvmdb;

import java.util.LinkedHashMap;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.kvmdb.cache.PageCache;
import org.kvmdb.ffi.FaultCounters;
import org.kvmdb.ffi.FaultKind;
import org.kvmdb.gc.Cleaner;
import org.kvmdb.gc.CleanerStatistics;
import org.kvmdb.journal.Journal;
import org.kvmdb.journal.JournalStatistics;
import org.kvmdb.journal.Latencies;

/** Gathers the counters of the parts of an open store. */
final class StoreFigures {

    private final Journal journal;
    private final PageCache cache;
    private final Cleaner cleaner;
    private final long openNanos;

    StoreFigures(Journal journal, PageCache cache, Cleaner cleaner, long openNanos) {
        this.journal = journal;
        this.cache = cache;
        this.cleaner = cleaner;
        this.openNanos = openNanos;
    }

    StoreStatistics statistics() {
        return statistics(latencies());
    }

    /** The statistics, with latencies gathered before. */
    StoreStatistics statistics(Map<String, Histogram> latencies) {
        return new StoreStatistics(cacheFigures(), logFigures(), cleaningFigures(), summary(latencies));
    }

    /** All distributions, in nanoseconds, keyed by the names in {@link StoreStatistics.Latencies}. */
    Map<String, Histogram> latencies() {
        final Map<String, Histogram> all = new LinkedHashMap<>();
        all.put("readFault", cache.latency(FaultKind.READ));
        all.put("writeFault", cache.latency(FaultKind.WRITE));
        all.put("firstWriteFault", cache.latency(FaultKind.FIRST_WRITE));
        all.put("fill", cache.latency(FaultKind.FILL));
        all.put("passedRead", cache.latency(FaultKind.PASSED_READ));
        all.put("commit", journal.latencies().of(Latencies.Kind.COMMIT));
        all.put("flush", journal.latencies().of(Latencies.Kind.FLUSH));
        all.put("checkpoint", journal.latencies().of(Latencies.Kind.CHECKPOINT));
        all.put("cleanerWait", journal.latencies().of(Latencies.Kind.CLEANER_WAIT));
        all.put("cleaning", journal.latencies().of(Latencies.Kind.CLEANING));
        return all;
    }

    private static StoreStatistics.Latencies summary(Map<String, Histogram> all) {
        return new StoreStatistics.Latencies(
                summary(all.get("readFault")),
                summary(all.get("writeFault")),
                summary(all.get("firstWriteFault")),
                summary(all.get("fill")),
                summary(all.get("passedRead")),
                summary(all.get("commit")),
                summary(all.get("flush")),
                summary(all.get("checkpoint")),
                summary(all.get("cleanerWait")),
                summary(all.get("cleaning")));
    }

    private static StoreStatistics.Latency summary(Histogram nanos) {
        return new StoreStatistics.Latency(
                nanos.getTotalCount(),
                nanos.getValueAtPercentile(50),
                nanos.getValueAtPercentile(90),
                nanos.getValueAtPercentile(99),
                nanos.getValueAtPercentile(99.9),
                nanos.getMaxValue());
    }

    private StoreStatistics.Cache cacheFigures() {
        final FaultCounters c = cache.counters();
        return new StoreStatistics.Cache(
                cache.budgetBytes(),
                cache.residentBytes(),
                cache.dirtyBytes(),
                c.readFaults(),
                c.writeFaults(),
                c.firstWrites(),
                c.copiedAside(),
                c.filledPages(),
                c.evictedPages(),
                cache.stolenPages(),
                c.spilledPages(),
                c.badPages(),
                cache.tierBytes(),
                Math.max(0, c.tierAdds() - c.tierDrops()),
                c.tierHits(),
                c.tierMisses(),
                c.tierDeclines(),
                c.readAheadPages(),
                c.readAheadUsedPages(),
                c.passedPages(),
                c.overwrittenPages());
    }

    private StoreStatistics.Log logFigures() {
        final JournalStatistics j = journal.statistics();
        return new StoreStatistics.Log(
                cache.commits(),
                cache.committedPages(),
                j.batches(),
                j.flushes(),
                j.bytesWritten(),
                j.blockBytes(),
                j.checkpointBytes(),
                j.checkpoints(),
                j.sequence(),
                j.durableSequence(),
                j.liveBytes(),
                j.freeBytes(),
                j.fileBytes(),
                j.mapBytes(),
                j.dictionaryBytes(),
                openNanos,
                j.replayedRecords(),
                j.cutBatches());
    }

    private StoreStatistics.Cleaning cleaningFigures() {
        final CleanerStatistics c = cleaner.statistics();
        return new StoreStatistics.Cleaning(
                c.moves().segments(),
                c.moves().blocks(),
                c.moves().blockBytes(),
                c.moves().writtenBytes(),
                c.moves().nodes(),
                c.moves().badBlocks(),
                c.waitedNanos());
    }
}
