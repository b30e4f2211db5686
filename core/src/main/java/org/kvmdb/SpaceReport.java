package org.kvmdb;

import java.util.List;

/**
 * How the space of a store is used. All sizes are in bytes of compressed blocks with their headers.
 *
 * <p>Two equations hold, the first always, the second when {@link #isExact()}:
 *
 * <ol>
 *   <li>{@code segmentBytes = liveBytes + stolenBytes + deadBytes + reclaimableBytes + openBytes + freeBytes + holeBytes}
 *   <li>{@code liveBytes = pageBytes + nodeBytes + dyingNodeBytes}
 * </ol>
 *
 * @param isExact whether nothing changed during the count; otherwise the figures are from slightly different moments
 * @param holders volumes, each followed by its snapshots
 * @param use content of the segments
 * @param reserve reserved space, and its purpose
 * @param deletion progress of freeing deleted snapshots and volumes
 * @param deletedBytes space that only those hold and will give back
 */
public record SpaceReport(
        boolean isExact,
        List<Holder> holders,
        Use use,
        Reserve reserve,
        DeletionProgress deletion,
        long deletedBytes) {

    /**
     * A volume or snapshot, and the space it holds.
     *
     * @param name name of the volume; for a snapshot {@code volume@name}
     * @param isSnapshot whether this is a snapshot
     * @param origin the snapshot that this volume was cloned from, while the volume has no snapshot of its own; null for
     *     other volumes and for snapshots
     * @param sizeBytes size, including holes
     * @param pageSizeBytes size of one page
     * @param pages pages that are not holes
     * @param referencedBytes bytes of their blocks, including blocks it shares
     * @param uniqueBytes part of referencedBytes that deleting this holder alone would free
     * @param uniqueNodeBytes map nodes that would be freed with it
     * @param quotaBytes limit of referencedBytes; 0: none
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

        /** Bytes of blocks that others hold too. */
        public long sharedBytes() {
            return referencedBytes - uniqueBytes;
        }

        /** Size of its pages in memory divided by the size of their blocks; 1 when it has no blocks. */
        public double compressionRatio() {
            return referencedBytes == 0 ? 1 : (double) pages * pageSizeBytes / referencedBytes;
        }
    }

    /**
     * Content of the segments, and so of the file.
     *
     * @param pageBytes blocks of pages, each counted once
     * @param nodeBytes stored map nodes, each counted once
     * @param dyingNodeBytes map nodes replaced since the last checkpoint; the next checkpoint frees them
     * @param liveBytes live bytes according to the segment table
     * @param stolenBytes blocks of stolen pages: written to the log before their commit
     * @param deadBytes dead bytes in segments that also hold live blocks; the cleaner recovers them
     * @param reclaimableBytes bytes of segments without live blocks; the next checkpoint frees them
     * @param openBytes bytes, dead or not yet written, of the segments that are being written or come next
     * @param freeBytes free segments that keep their disk space
     * @param holeBytes free segments whose disk space was given back
     * @param segmentBytes all segments
     * @param metadataBytes catalog and segment table; counted as dead, since each checkpoint writes them anew
     * @param fileBytes length of the file
     * @param diskBytes disk space of the file
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
     * Reserved space.
     *
     * @param dirtyBytes reserved for committing pages that are written but not committed yet
     * @param checkpointBytes reserved for checkpoints and for making space
     * @param availableBytes bytes that may still be written before the file grows
     * @param limitBytes size that the file may grow to
     */
    public record Reserve(long dirtyBytes, long checkpointBytes, long availableBytes, long limitBytes) {}

    /** Whether the live blocks add up to the live bytes of the segment table. For an exact report they must. */
    public boolean addsUp() {
        return use.liveBytes == use.pageBytes + use.nodeBytes + use.dyingNodeBytes;
    }
}
