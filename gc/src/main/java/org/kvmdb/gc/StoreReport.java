package org.kvmdb.gc;

import java.util.List;
import org.kvmdb.journal.Defect;
import org.kvmdb.journal.SegmentStatistics;

/**
 * Result of a check.
 *
 * @param volumes volumes, then snapshots, in order of their ids
 * @param pages pages that are not holes; shared pages counted once
 * @param pageBytes size of these pages in memory
 * @param blockBytes size of their blocks
 * @param nodes nodes of their maps, as of the checkpoint
 * @param metadataBlocks blocks of catalog and segment table
 * @param superblockCopies good copies of the superblock, of four
 * @param batches batches of the log since the checkpoint
 * @param tornBatches batches of a torn tail, which opening the store will cut off; not defects
 * @param segments state of the segments; null when the segment table could not be read
 * @param deviceBytes length of the file
 * @param allocatedBytes disk space of the file
 * @param checkedBytes bytes of blocks of pages and of the log that were read
 * @param nanos duration of the check
 * @param defects the first defects, in the order in which they were found
 * @param defectCount number of defects, listed or not
 */
public record StoreReport(
        List<VolumeReport> volumes,
        long pages,
        long pageBytes,
        long blockBytes,
        long nodes,
        long metadataBlocks,
        int superblockCopies,
        long batches,
        long tornBatches,
        SegmentStatistics segments,
        long deviceBytes,
        long allocatedBytes,
        long checkedBytes,
        long nanos,
        List<Defect> defects,
        long defectCount) {

    /** Whether everything is as it must be. */
    public boolean isClean() {
        return defectCount == 0;
    }

    /** Bytes of pages per byte of their blocks; 1 when there are none. */
    public double compressionRatio() {
        return blockBytes == 0 ? 1 : (double) pageBytes / blockBytes;
    }
}
