package org.kvmdb.journal;

/**
 * How the segments of a journal stand.
 *
 * @param segmentSizeBytes size of each
 * @param count all segments: free, holes, reserved, open and full ones
 * @param free segments that can be taken and have their disk space
 * @param holes free segments whose disk space was given back
 * @param reserved segments that the log goes on in next
 * @param open segments that the log is in
 * @param full segments that were written to their end
 * @param reclaimable full ones that hold nothing live: the next checkpoint frees them
 * @param growable segments that the device may still grow by; 0 while the disk refuses to
 * @param liveBytes bytes of blocks in use
 * @param writtenBytes all bytes that were written into segments since the journal was opened
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
