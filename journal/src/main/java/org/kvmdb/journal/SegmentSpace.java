package org.kvmdb.journal;

/**
 * Where the bytes of a store's segments are. Always {@code segmentBytes = liveBytes + stolenBytes + deadBytes +
 * reclaimableBytes + openBytes + freeBytes + holeBytes}.
 *
 * @param segmentBytes all segments
 * @param liveBytes blocks of pages and map nodes that something refers to, or that the last checkpoint does
 * @param stolenBytes blocks of pages that were written before their commit
 * @param deadBytes in full segments that hold something live: a cleaner wins them by moving what is live
 * @param reclaimableBytes full segments that hold nothing live: the next checkpoint frees them
 * @param openBytes in segments that are being written, or about to be: not written yet, or dead
 * @param freeBytes free segments that have their disk space
 * @param holeBytes free segments that gave their disk space back
 * @param dyingNodeBytes of liveBytes: stored map nodes that were replaced since the last checkpoint; the next one lets them go
 * @param metadataBytes blocks of catalog and segment table; not live, since each checkpoint writes all of them anew
 * @param dirtyReserveBytes kept for pages that are dirty, so that they can be committed
 * @param checkpointReserveBytes kept for checkpoints and for making space
 * @param availableBytes what may still be reserved before the file grows
 * @param limitBytes how long the file may become
 * @param deviceBytes length of the file
 * @param allocatedBytes what it takes of the disk
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
