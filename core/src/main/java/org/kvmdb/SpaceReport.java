package org.kvmdb;

import java.util.List;

/**
 * What the space of a store is used for. All in bytes, of compressed blocks with their headers.
 *
 * <p>Two sums hold, the first one always, the second one when {@link #isExact()}:
 *
 * <ol>
 *   <li>{@code segmentBytes = liveBytes + stolenBytes + deadBytes + reclaimableBytes + openBytes + freeBytes + holeBytes}
 *   <li>{@code liveBytes = pageBytes + nodeBytes + dyingNodeBytes}
 * </ol>
 *
 * @param isExact whether nothing changed while it was counted; otherwise the figures are of slightly different moments
 * @param holders volumes, each followed by its snapshots
 * @param use what the segments hold
 * @param reserve what is kept free, and for what
 * @param deletion how far the background is with deleted snapshots and volumes
 * @param deletedBytes what they hold alone and will give back
 */
public record SpaceReport(
        boolean isExact,
        List<Holder> holders,
        Use use,
        Reserve reserve,
        DeletionProgress deletion,
        long deletedBytes) {

    /**
     * A volume or snapshot, and what it takes.
     *
     * @param name of a snapshot: {@code volume@name}
     * @param isSnapshot whether it is one
     * @param origin the snapshot that a volume was cloned from or went back to; null for another one and for snapshots
     * @param sizeBytes size, holes counted
     * @param pageSizeBytes size of its pages
     * @param pages pages that are not holes
     * @param referencedBytes their blocks, those counted that it shares
     * @param uniqueBytes those of them that would be freed if it alone were deleted
     * @param uniqueNodeBytes map nodes that would be freed with them
     * @param quotaBytes what referencedBytes may come to; 0: no limit
     */
    public record Holder(
            String name,
            boolean isSnapshot,
            String origin,
            long sizeBytes,
            int pageSizeBytes,
            long pages,
            long referencedBytes,
            long uniqueBytes,
            long uniqueNodeBytes,
            long quotaBytes) {

        /** Blocks that others hold, too. */
        public long sharedBytes() {
            return referencedBytes - uniqueBytes;
        }

        /** Bytes of its pages in memory by bytes of their blocks; 1 when there are none. */
        public double compressionRatio() {
            return referencedBytes == 0 ? 1 : (double) pages * pageSizeBytes / referencedBytes;
        }
    }

    /**
     * What the segments, and so the file, hold.
     *
     * @param pageBytes blocks of pages, each once
     * @param nodeBytes map nodes as stored, each once
     * @param dyingNodeBytes map nodes that were replaced since the last checkpoint; the next one lets them go
     * @param liveBytes what the segment table counts as live
     * @param stolenBytes blocks of pages that were written before their commit
     * @param deadBytes in segments that also hold something live: a cleaner wins them
     * @param reclaimableBytes in segments that hold nothing live: the next checkpoint frees them
     * @param openBytes in the segments that are written to now or next: dead, or not written yet
     * @param freeBytes free segments that have their disk space
     * @param holeBytes free segments whose disk space was given back
     * @param segmentBytes all segments
     * @param metadataBytes catalog and segment table; counted as dead, since each checkpoint writes them anew
     * @param fileBytes length of the file
     * @param diskBytes what it takes of the disk
     */
    public record Use(
            long pageBytes,
            long nodeBytes,
            long dyingNodeBytes,
            long liveBytes,
            long stolenBytes,
            long deadBytes,
            long reclaimableBytes,
            long openBytes,
            long freeBytes,
            long holeBytes,
            long segmentBytes,
            long metadataBytes,
            long fileBytes,
            long diskBytes) {}

    /**
     * What is kept of the free space.
     *
     * @param dirtyBytes for pages that were written and not committed yet
     * @param checkpointBytes for checkpoints and for making space
     * @param availableBytes what may still be written before the file grows
     * @param limitBytes what the file may grow to
     */
    public record Reserve(long dirtyBytes, long checkpointBytes, long availableBytes, long limitBytes) {}

    /** Whether the live blocks add up to what the segment table counts. Of an exact report it must be so. */
    public boolean addsUp() {
        return use.liveBytes == use.pageBytes + use.nodeBytes + use.dyingNodeBytes;
    }
}
