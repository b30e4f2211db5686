package org.kvmdb.journal;

/**
 * The state of the segments of a journal.
 *
 * @param segmentSizeBytes size of one segment
 * @param count number of all segments: free, holes, reserved, open and full ones
 * @param free free segments that keep their disk space
 * @param holes free segments whose disk space was given back
 * @param reserved segments in which the log continues next
 * @param open segments that the log is in
 * @param full segments that were written to their end
 * @param reclaimable full segments without live blocks; the next checkpoint frees them
 * @param growable segments by which the device may still grow; 0 while the disk refuses to grow
 * @param liveBytes bytes of live blocks
 * @param writtenBytes bytes written into segments since the journal was opened
 */
public record SegmentStatistics(
        int segmentSizeBytes,
        int count,
        int free,
        int holes,
        int reserved,
        int open,
        int full,
        int reclaimable,
        int growable,
        long liveBytes,
        long writtenBytes) {}
