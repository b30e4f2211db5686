package org.kvmdb.tools;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** What each counter and each distribution of the counters file is, for programs that collect them: its kind, and a sentence. */
final class Metrics {

    /** What only grows while a store is open, what goes up and down, and what a newer store counts. */
    enum Kind {
        COUNTER,
        GAUGE,
        SUMMARY,
        UNTYPED
    }

    /** @param help without a full stop; empty for what is not known here */
    record Metric(Kind kind, String help) {}

    private static final Metric UNKNOWN = new Metric(Kind.UNTYPED, "");

    private static final Map<String, Metric> ALL = new HashMap<>();

    static {
        gauge("cache.budgetBytes", "The limit of the memory for pages");
        gauge("cache.residentBytes", "Memory taken by page frames, copies set aside, staging, page states and the compressed tier");
        gauge("cache.dirtyBytes", "Bytes written and not yet committed, in memory");
        counter("cache.readFaults", "Reads of a page that was not in memory");
        counter("cache.writeFaults", "Writes to a page that was not in memory");
        counter("cache.firstWriteFaults", "First writes to a page that was in memory");
        counter("cache.copiedAside", "Writes to a page that was frozen by a commit in flight");
        counter("cache.filledPages", "Pages brought into memory by faults, fill-around, load and prefetch");
        counter("cache.evictedPages", "Clean pages dropped from memory");
        counter("cache.stolenPages", "Dirty pages written to the log before their commit");
        counter("cache.spilledPages", "Dirty pages moved to the spill area by a fault that found nothing clean to drop");
        counter("cache.badPages", "Pages that could not be had or written");
        gauge("cache.tierBytes", "What the compressed tier has of the memory");
        gauge("cache.tierBlocks", "Blocks in the compressed tier");
        counter("cache.tierHits", "Pages that came from the compressed tier");
        counter("cache.tierMisses", "Pages read from the device while the compressed tier had memory");
        counter("cache.tierDeclined", "Blocks that the compressed tier did not take, being busy or without memory");
        counter("cache.readAheadPages", "Pages asked for ahead of a thread that reads in order");
        counter("cache.readAheadUsedPages", "Pages asked for ahead that the thread came to");
        counter("cache.passedPages", "Pages read by a call without taking a page frame");
        counter("cache.overwrittenPages", "Pages not in memory that a call wrote whole, so that they were not read");
        counter("log.commits", "Commits acknowledged");
        counter("log.committedPages", "Pages in commits");
        counter("log.batches", "Atomic appends to the log");
        counter("log.flushes", "Flushes of the device");
        counter("log.bytesWritten", "Bytes written to the device");
        counter("log.blockBytes", "Bytes written that are blocks of pages");
        counter("log.checkpointBytes", "Bytes written by checkpoints");
        counter("log.checkpoints", "Checkpoints taken");
        gauge("log.sequence", "Sequence of the last batch");
        gauge("log.durableSequence", "Sequence of the last batch known to be durable");
        gauge("log.liveBytes", "Bytes of blocks in use");
        gauge("log.freeBytes", "Bytes of segments that are free");
        gauge("log.fileBytes", "What the file system holds for the store");
        gauge("log.mapBytes", "Memory of the map");
        gauge("log.dictionaryBytes", "Length of the dictionary that pages are compressed against, 0 without one");
        gauge("log.recoveryNanos", "How long opening the store took, replay included");
        gauge("log.replayedRecords", "Log records replayed when the store was opened");
        gauge("log.cutBatches", "Torn batches dropped when the store was opened");
        counter("cleaning.segments", "Segments that the cleaner read to move what is live in them");
        counter("cleaning.blocks", "Blocks of pages that the cleaner moved");
        counter("cleaning.blockBytes", "Bytes of blocks that the cleaner moved");
        counter("cleaning.bytesWritten", "Bytes that the cleaner wrote, not among those of the log");
        counter("cleaning.nodes", "Map nodes that the next checkpoint had to write anew because of the cleaner");
        counter("cleaning.badBlocks", "Blocks that the cleaner found bad and left where they are");
        counter("cleaning.waitedNanos", "How long commits waited for the cleaner, all together");
        summary("readFault", "Faults that read a page that was not in memory");
        summary("writeFault", "Faults that write to a page that was not in memory");
        summary("firstWriteFault", "Faults of the first write to a page that was in memory, or frozen by a commit in flight");
        summary("fill", "Reading, verifying, decompressing and mapping a page");
        summary("passedRead", "Reading, verifying and decompressing for a call what is not brought into memory");
        summary("commit", "Commits, from the call to its return");
        summary("flush", "Flushes of the device for the log");
        summary("checkpoint", "Checkpoints, during which commits go on");
        summary("cleanerWait", "What a commit waited for the cleaner, when it had to");
        summary("cleaning", "Steps of the cleaner");
    }

    private Metrics() {}

    /** Of a counter, by its name in the file; of a distribution, without what stands before the dot. */
    static Metric of(String name) {
        return ALL.getOrDefault(name, UNKNOWN);
    }

    static Set<String> names() {
        return Set.copyOf(ALL.keySet());
    }

    private static void counter(String name, String help) {
        ALL.put(name, new Metric(Kind.COUNTER, help));
    }

    private static void gauge(String name, String help) {
        ALL.put(name, new Metric(Kind.GAUGE, help));
    }

    private static void summary(String name, String help) {
        ALL.put(name, new Metric(Kind.SUMMARY, help));
    }
}
