package org.kvmdb.journal;

/**
 * The use of the bytes of a store's segments. Always {@code segmentBytes = liveBytes + stolenBytes + deadBytes +
 * reclaimableBytes + openBytes + freeBytes + holeBytes}.
 *
 * @param segmentBytes all segments
 * @param liveBytes blocks of pages and map nodes that a version or the last checkpoint refers to
 * @param stolenBytes blocks of stolen pages: written to the log before their commit
 * @param deadBytes dead bytes in full segments that also hold live blocks; the cleaner recovers them
 * @param reclaimableBytes full segments without live blocks; the next checkpoint frees them
 * @param openBytes bytes, dead or not yet written, of segments that are being written or about to be
 * @param freeBytes free segments that keep their disk space
 * @param holeBytes free segments whose disk space was given back
 * @param dyingNodeBytes part of liveBytes: stored map nodes replaced since the last checkpoint; the next one frees them
 * @param metadataBytes blocks of catalog and segment table; not live, since each checkpoint writes all of them anew
 * @param dirtyReserveBytes reserved for committing dirty pages
 * @param checkpointReserveBytes reserved for checkpoints and for making space
 * @param availableBytes bytes that may still be reserved before the file grows
 * @param limitBytes limit of the file's length
 * @param deviceBytes length of the file
 * @param allocatedBytes disk space of the file
 */
public record SegmentSpace(
        long segmentBytes,
        long liveBytes,
        long stolenBytes,
        long deadBytes,
        long reclaimableBytes,
        long openBytes,
        long freeBytes,
        long holeBytes,
        long dyingNodeBytes,
        long metadataBytes,
        long dirtyReserveBytes,
        long checkpointReserveBytes,
        long availableBytes,
        long limitBytes,
        long deviceBytes,
        long allocatedBytes) {

    /** Adds segments up. */
    static final class Sums {
        private long all;
        private long live;
        private long stolen;
        private long dead;
        private long reclaimable;
        private long open;
        private long free;
        private long holes;

        void add(SegmentState state, long liveBytes, long stolenBytes, long sizeBytes, boolean isHole) {
            final long rest = sizeBytes - liveBytes - stolenBytes;
            all += sizeBytes;
            live += liveBytes;
            stolen += stolenBytes;
            switch (state) {
                case FREE -> {
                    free += isHole ? 0 : rest;
                    holes += isHole ? rest : 0;
                }
                case RESERVED, OPEN -> open += rest;
                case FULL -> {
                    reclaimable += rest == sizeBytes ? rest : 0;
                    dead += rest == sizeBytes ? 0 : rest;
                }
            }
        }

        SegmentSpace total(
                long dyingNodeBytes, long metadataBytes, long dirtyReserveBytes, long checkpointReserveBytes,
                long availableBytes, long limitBytes, long deviceBytes, long allocatedBytes) {
            return new SegmentSpace(
                    all, live, stolen, dead, reclaimable, open, free, holes, dyingNodeBytes, metadataBytes,
                    dirtyReserveBytes, checkpointReserveBytes, availableBytes, limitBytes, deviceBytes, allocatedBytes);
        }
    }
}
