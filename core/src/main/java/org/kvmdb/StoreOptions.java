package org.kvmdb;

/**
 * How a store is created or opened. Immutable; start from {@link #defaults()}.
 *
 * @param cacheSizeBytes memory for page frames, copies set aside, staging, page states and compressed blocks; from
 *     4 MiB to 2 TiB. The map comes on top, 0.2 % of the written data.
 * @param maxSizeBytes how large the store's file may grow; reaching it is a {@link StoreFullException}
 * @param segmentSizeBytes size of the log's segments, a power of two from 256 KiB to 16 MiB; fixed at creation
 * @param checkpointRecords log records after which a checkpoint is due at the latest; bounds the time to recover
 * @param controlSocket whether the {@code kvmdb} command can work on the store while it is open, through a socket in its
 *     directory that only this user (and root) can connect to
 * @param countersFile whether what the store counts is kept in a file of its directory, for {@code kvmdb stats} and
 *     {@code kvmdb top}
 * @param compressedTierShare how much of the cache blocks may have at most that are kept as they are stored, compressed, so that
 *     a page that was evicted comes back without a read: from 0 (none) to 0.9375 (an eighth of a cache of less than 128 MiB is
 *     left to pages). They have none of it before something had to be evicted, and none for data that do not compress; how much of it they
 *     have is found by what that saves.
 * @param directReads whether pages are read past the operating system's cache, where the file system lets them; for a store
 *     whose own cache has most of the memory. Pages that are read in order then come in large pieces, past the compressed
 *     blocks, too
 * @param dictionary whether the store makes itself a dictionary of its first pages, if pages become a tenth smaller or more by being compressed
 *     against it: a fifth less of text in pages of 4 KiB, for up to a third more time to compress. A store that has one keeps
 *     it, also the pieces of pages in it that were overwritten since or deleted
 */
public record StoreOptions(
        long cacheSizeBytes,
        long maxSizeBytes,
        int segmentSizeBytes,
        long checkpointRecords,
        boolean controlSocket,
        boolean countersFile,
        double compressedTierShare,
        boolean directReads,
        boolean dictionary) {

    public static final long CACHE_SIZE_BYTES_MIN = 4L << 20;
    public static final long CACHE_SIZE_BYTES_MAX = 2L << 40;
    public static final int SEGMENT_SIZE_BYTES_MIN = 256 << 10;
    public static final double COMPRESSED_TIER_SHARE_MAX = 0.9375;

    public StoreOptions {
        check(
                cacheSizeBytes >= CACHE_SIZE_BYTES_MIN && cacheSizeBytes <= CACHE_SIZE_BYTES_MAX,
                "cacheSizeBytes",
                cacheSizeBytes,
                "from 4 MiB to 2 TiB");
        check(
                segmentSizeBytes >= SEGMENT_SIZE_BYTES_MIN
                        && segmentSizeBytes <= 16 << 20
                        && Integer.bitCount(segmentSizeBytes) == 1,
                "segmentSizeBytes",
                segmentSizeBytes,
                "a power of two from 256 KiB to 16 MiB");
        check(maxSizeBytes >= 8L * segmentSizeBytes, "maxSizeBytes", maxSizeBytes, "at least eight segments");
        if (!(compressedTierShare >= 0 && compressedTierShare <= COMPRESSED_TIER_SHARE_MAX)) {
            throw new IllegalArgumentException("compressedTierShare must be from 0 to %s: %s"
                    .formatted(COMPRESSED_TIER_SHARE_MAX, compressedTierShare));
        }
        check(checkpointRecords > 0, "checkpointRecords", checkpointRecords, "positive");
    }

    /** 256 MiB of cache, three quarters of it for compressed blocks if need be; 16 MiB segments, no limit but the disk's. */
    public static StoreOptions defaults() {
        return new StoreOptions(256L << 20, 1L << 52, 16 << 20, 1 << 19, true, true, 0.75, false, true);
    }

    public StoreOptions withCacheSizeBytes(long bytes) {
        return new StoreOptions(
                bytes, maxSizeBytes, segmentSizeBytes, checkpointRecords,
                controlSocket, countersFile, compressedTierShare, directReads, dictionary);
    }

    public StoreOptions withMaxSizeBytes(long bytes) {
        return new StoreOptions(
                cacheSizeBytes, bytes, segmentSizeBytes, checkpointRecords,
                controlSocket, countersFile, compressedTierShare, directReads, dictionary);
    }

    public StoreOptions withSegmentSizeBytes(int bytes) {
        return new StoreOptions(
                cacheSizeBytes, maxSizeBytes, bytes, checkpointRecords,
                controlSocket, countersFile, compressedTierShare, directReads, dictionary);
    }

    public StoreOptions withCheckpointRecords(long records) {
        return new StoreOptions(
                cacheSizeBytes, maxSizeBytes, segmentSizeBytes, records,
                controlSocket, countersFile, compressedTierShare, directReads, dictionary);
    }

    public StoreOptions withControlSocket(boolean wanted) {
        return new StoreOptions(
                cacheSizeBytes, maxSizeBytes, segmentSizeBytes, checkpointRecords,
                wanted, countersFile, compressedTierShare, directReads, dictionary);
    }

    public StoreOptions withCountersFile(boolean wanted) {
        return new StoreOptions(
                cacheSizeBytes, maxSizeBytes, segmentSizeBytes, checkpointRecords,
                controlSocket, wanted, compressedTierShare, directReads, dictionary);
    }

    public StoreOptions withCompressedTierShare(double share) {
        return new StoreOptions(
                cacheSizeBytes, maxSizeBytes, segmentSizeBytes, checkpointRecords,
                controlSocket, countersFile, share, directReads, dictionary);
    }

    public StoreOptions withDirectReads(boolean wanted) {
        return new StoreOptions(
                cacheSizeBytes, maxSizeBytes, segmentSizeBytes, checkpointRecords,
                controlSocket, countersFile, compressedTierShare, wanted, dictionary);
    }

    public StoreOptions withDictionary(boolean wanted) {
        return new StoreOptions(
                cacheSizeBytes, maxSizeBytes, segmentSizeBytes, checkpointRecords,
                controlSocket, countersFile, compressedTierShare, directReads, wanted);
    }

    private static void check(boolean holds, String name, long value, String rule) {
        if (!holds) {
            throw new IllegalArgumentException("%s must be %s: %d".formatted(name, rule, value));
        }
    }
}
