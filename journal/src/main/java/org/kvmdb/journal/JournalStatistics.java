package org.kvmdb.journal;

import org.kvmdb.ffi.MapNodeDescriptor;

/**
 * Counters of a journal since it was opened, and its current sizes.
 *
 * @param bytesWritten bytes written to the device for the log and checkpoints
 * @param blockBytes part of bytesWritten: blocks of pages
 * @param checkpointBytes part of bytesWritten: checkpoints
 * @param preparedBytes zeros written ahead into segments; not part of bytesWritten
 * @param commits commits written
 * @param liveBytes bytes of blocks in use
 * @param freeBytes bytes of segments that are free
 * @param fileBytes disk space of the device
 * @param mapBytes memory of the map's nodes
 * @param dictionaryBytes size of the dictionary that pages are compressed against; 0: there is none
 * @param recoveryNanos time to open the journal
 * @param replayedRecords log records applied when it was opened
 * @param cutBatches batches of a torn tail that were dropped when it was opened
 */
public record JournalStatistics(
        long bytesWritten,
        long blockBytes,
        long checkpointBytes,
        long preparedBytes,
        long commits,
        long batches,
        long flushes,
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
        long cutBatches) {

    /** Under the append lock. */
    static JournalStatistics of(JournalParts parts) {
        final Counters counters = parts.counters();
        final SegmentTable segments = parts.segments();
        return new JournalStatistics(
                counters.writtenBytes + counters.superblockBytes,
                counters.blockBytes,
                counters.checkpointBytes,
                counters.preparedBytes,
                counters.commits,
                counters.batches,
                counters.flushes,
                counters.checkpoints,
                parts.log().writtenSequence(),
                parts.log().durableSequence(),
                segments.liveBytes(),
                (long) segments.free().count() * segments.segmentSizeBytes(),
                parts.device().allocatedBytes(),
                (long) parts.arena().count() * MapNodeDescriptor.NODE_LENGTH,
                parts.dictionary().inUseBytes(),
                counters.recoveryNanos,
                counters.recordsReplayed,
                counters.batchesCut);
    }
}
