package org.kvmdb;

import java.lang.reflect.RecordComponent;
import java.util.LinkedHashMap;
import java.util.Map;

/** What happened in a store since it was opened. Counters only grow; sizes are of the moment. */
public record StoreStatistics(Cache cache, Log log, Cleaning cleaning, Latencies latencies) {

    /** All values, in order, by name with dots between: {@code log.commits}. */
    public Map<String, Long> values() {
        return valuesOf(this);
    }

    /** Looked up once for a type: each time they are new to the JVM, which then makes code for each of their accessors. */
    private static final ClassValue<RecordComponent[]> COMPONENTS = new ClassValue<>() {
        @Override
        protected RecordComponent[] computeValue(Class<?> type) {
            return type.getRecordComponents();
        }
    };

    /** All values of a record of numbers, and of records in it. */
    public static Map<String, Long> valuesOf(Record figures) {
        final Map<String, Long> values = new LinkedHashMap<>();
        collect("", figures, values);
        return values;
    }

    private static void collect(String prefix, Record part, Map<String, Long> values) {
        for (RecordComponent component : COMPONENTS.get(part.getClass())) {
            final String name = prefix + component.getName();
            try {
                final Object value = component.getAccessor().invoke(part);
                if (value instanceof Record nested) {
                    collect(name + ".", nested, values);
                } else {
                    values.put(name, ((Number) value).longValue());
                }
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("cannot read " + component, e);
            }
        }
    }

    /**
     * @param budgetBytes the limit: {@link StoreOptions#cacheSizeBytes()}
     * @param residentBytes page frames, copies set aside, staging, page states and the compressed tier in memory
     * @param dirtyBytes written and not yet committed, in memory
     * @param readFaults reads of a page that was not in memory
     * @param writeFaults writes to a page that was not in memory
     * @param firstWriteFaults first writes to a page that was in memory, those that {@link Volume#write} announced included
     * @param copiedAside writes to a page that was frozen by a commit in flight
     * @param filledPages pages brought in, by faults, fill-around, load and prefetch
     * @param evictedPages clean pages dropped
     * @param stolenPages dirty pages written to the log before their commit
     * @param spilledPages dirty pages moved to the spill area by a fault that found nothing clean to drop
     * @param badPages pages that could not be had or written
     * @param tierBytes what the compressed tier has of the memory
     * @param tierBlocks blocks in it
     * @param tierHits pages that came from it
     * @param tierMisses pages that were read from the device instead, while it had memory
     * @param tierDeclined blocks that it did not take: another thread was at it, or there was no memory to be had
     * @param readAheadPages pages asked for ahead of a thread that reads in order, or at equal distances
     * @param readAheadUsedPages those of them that the thread came to
     * @param passedPages read by {@link Volume#read} without taking a page frame, from the compressed tier or the device
     * @param overwrittenPages written whole by {@link Volume#write} that were not in memory: what they held was not read
     */
    public record Cache(
            long budgetBytes,
            long residentBytes,
            long dirtyBytes,
            long readFaults,
            long writeFaults,
            long firstWriteFaults,
            long copiedAside,
            long filledPages,
            long evictedPages,
            long stolenPages,
            long spilledPages,
            long badPages,
            long tierBytes,
            long tierBlocks,
            long tierHits,
            long tierMisses,
            long tierDeclined,
            long readAheadPages,
            long readAheadUsedPages,
            long passedPages,
            long overwrittenPages) {}

    /**
     * How long things took.
     *
     * @param readFault a fault that reads a page that was not in memory
     * @param writeFault a fault that writes to one
     * @param firstWriteFault a fault of the first write to a page that was in memory, or frozen by a commit in flight
     * @param fill reading, verifying, decompressing and mapping, of faults, loads and prefetches
     * @param passedRead reading, verifying and decompressing for {@link Volume#read} and {@link Snapshot#read} what is not brought into
     *     memory; neighbours that are read together count once
     * @param commit a commit, from the call to its return
     * @param flush a flush of the device for the log
     * @param checkpoint a checkpoint, during which commits go on
     * @param cleanerWait what a commit waited for the cleaner, when it had to
     * @param cleaning a step of the cleaner
     */
    public record Latencies(
            Latency readFault,
            Latency writeFault,
            Latency firstWriteFault,
            Latency fill,
            Latency passedRead,
            Latency commit,
            Latency flush,
            Latency checkpoint,
            Latency cleanerWait,
            Latency cleaning) {}

    /** A distribution of durations in nanoseconds. Those of faults and fills are exact to about 6 %, the others to 1 %. */
    public record Latency(
            long count, long p50Nanos, long p90Nanos, long p99Nanos, long p999Nanos, long maxNanos) {}

    /**
     * @param commits commits acknowledged (several may share a batch and a flush)
     * @param committedPages pages in them
     * @param batches atomic appends to the log
     * @param flushes device flushes
     * @param bytesWritten all bytes written to the device
     * @param blockBytes those of them that are blocks of pages
     * @param checkpointBytes those of them that checkpoints wrote
     * @param checkpoints checkpoints taken
     * @param sequence sequence of the last batch
     * @param durableSequence sequence of the last batch known to be durable
     * @param liveBytes bytes of blocks in use
     * @param freeBytes bytes of segments that are free
     * @param fileBytes what the file system holds for the store
     * @param mapBytes memory of the map
     * @param dictionaryBytes of the dictionary that pages are compressed against; 0: the store has none
     * @param recoveryNanos how long opening took, replay included
     * @param replayedRecords log records replayed when the store was opened
     * @param cutBatches torn batches dropped when the store was opened
     */
    public record Log(
            long commits,
            long committedPages,
            long batches,
            long flushes,
            long bytesWritten,
            long blockBytes,
            long checkpointBytes,
            long checkpoints,
            long sequence,
            long durableSequence,
            long liveBytes,
            long freeBytes,
            long fileBytes,
            long mapBytes,
            long dictionaryBytes,
            long recoveryNanos,
            long replayedRecords,
            long cutBatches) {}

    /**
     * @param segments segments that the cleaner read to move what is live in them
     * @param blocks blocks of pages that it moved
     * @param blockBytes their bytes
     * @param bytesWritten bytes that it wrote for that, not among those of the log
     * @param nodes map nodes that the next checkpoint had to write anew because of it
     * @param badBlocks blocks that it found bad and left where they are
     * @param waitedNanos how long commits waited for it, all together
     */
    public record Cleaning(
            long segments,
            long blocks,
            long blockBytes,
            long bytesWritten,
            long nodes,
            long badBlocks,
            long waitedNanos) {}
}
