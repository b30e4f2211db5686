package org.kvmdb;

import java.lang.reflect.RecordComponent;
import java.util.LinkedHashMap;
import java.util.Map;

/** Counters and latencies of a store since it was opened, and its current sizes. Counters never decrease. */
public record StoreStatistics(Cache cache, Log log, Cleaning cleaning, Latencies latencies) {

    /** All values in order, keyed by their dotted names, such as {@code log.commits}. */
    public Map<String, Long> values() {
        return valuesOf(this);
    }

    /** Looked up once per type: the JVM returns new components each time, and generates code for each accessor anew. */
    private static final ClassValue<RecordComponent[]> COMPONENTS = new ClassValue<>() {
        @Override
        protected RecordComponent[] computeValue(Class<?> type) {
            return type.getRecordComponents();
        }
    };

    /** All values of a record that consists of numbers and of such records. */
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
     * The cache.
     *
     * @param budgetBytes the limit: {@link StoreOptions#cacheSizeBytes()}
     * @param residentBytes memory of page frames, copies set aside, staging, page states and the compressed tier
     * @param dirtyBytes bytes in memory that are written but not committed
     * @param readFaults reads of a page that was not in memory
     * @param writeFaults writes to a page that was not in memory
     * @param firstWriteFaults first writes to a page that was in memory, including those that {@link Volume#write}
     *     announced
     * @param copiedAside writes to a page that was frozen by a commit in flight
     * @param filledPages pages brought into memory by faults, fill-around, load and prefetch
     * @param evictedPages clean pages dropped from memory
     * @param stolenPages dirty pages written to the log before their commit
     * @param spilledPages dirty pages moved to the spill area by a fault that found no clean page to drop
     * @param badPages failures to read or write a page
     * @param tierBytes memory of the compressed tier
     * @param tierBlocks blocks in the compressed tier
     * @param tierHits pages restored from the compressed tier
     * @param tierMisses pages read from the device instead, while the compressed tier had memory
     * @param tierDeclined blocks that the compressed tier did not take, because another thread held its lock or it
     *     found no memory
     * @param readAheadPages pages requested ahead of a thread that reads sequentially or with a constant stride
     * @param readAheadUsedPages requested pages that the thread reached
     * @param passedPages pages that {@link Volume#read} delivered from the compressed tier or the device without a page
     *     frame
     * @param overwrittenPages pages not in memory that {@link Volume#write} wrote whole, without reading their old
     *     content
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
     * Distributions of latencies.
     *
     * @param readFault a read of a page that was not in memory
     * @param writeFault a write to a page that was not in memory
     * @param firstWriteFault the first write to a page that was in memory, or frozen by a commit in flight
     * @param fill reading, verifying, decompressing and mapping, in faults, loads and prefetches
     * @param passedRead reading, verifying and decompressing for {@link Volume#read} and {@link Snapshot#read}, of
     *     pages that are not brought into memory; neighbours that are read together count once
     * @param commit a commit, from the call to its return
     * @param flush a flush of the device for the log
     * @param checkpoint a checkpoint; commits continue meanwhile
     * @param cleanerWait time that a commit waited for the cleaner; commits that did not wait are not counted
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

    /** A distribution of durations in nanoseconds. Faults and fills are exact to about 6 %, the others to 1 %. */
    public record Latency(
            long count, long p50Nanos, long p90Nanos, long p99Nanos, long p999Nanos, long maxNanos) {}

    /**
     * The log.
     *
     * @param commits commits acknowledged (several may share a batch and a flush)
     * @param committedPages pages in these commits
     * @param batches atomic appends to the log
     * @param flushes device flushes
     * @param bytesWritten bytes written to the device for the log and checkpoints
     * @param blockBytes part of bytesWritten: blocks of pages
     * @param checkpointBytes part of bytesWritten: checkpoints
     * @param checkpoints checkpoints taken
     * @param sequence sequence of the last batch
     * @param durableSequence sequence of the last batch known to be durable
     * @param liveBytes bytes of live blocks
     * @param freeBytes bytes of free segments
     * @param fileBytes disk space of the store's file
     * @param mapBytes memory of the map
     * @param dictionaryBytes size of the dictionary that pages are compressed against; 0: the store has none
     * @param recoveryNanos time to open the store, including replay
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
     * The cleaner.
     *
     * @param segments segments that the cleaner read to move their live blocks
     * @param blocks blocks of pages moved
     * @param blockBytes bytes of these blocks
     * @param bytesWritten bytes written to move them; not part of the log's bytesWritten
     * @param nodes map nodes that the next checkpoint had to write anew because of the cleaner
     * @param badBlocks bad blocks found, and left where they are
     * @param waitedNanos total time that commits waited for the cleaner
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
