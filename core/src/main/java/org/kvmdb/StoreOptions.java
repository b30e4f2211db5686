package org.kvmdb;

/**
 * Options for creating or opening a store. Immutable; start from {@link #defaults()}.
 *
 * @param cacheSizeBytes memory for page frames, copies set aside, staging, page states and compressed blocks, from 4
 *     MiB to 2 TiB. The map is not included; it takes another 0.2 % of the written data.
 * @param maxSizeBytes limit of the store's file; a write that needs more fails with {@link StoreFullException}
 * @param segmentSizeBytes size of the log's segments, a power of two from 256 KiB to 16 MiB; fixed at creation
 * @param checkpointRecords number of log records after which a checkpoint is due at the latest; bounds recovery time
 * @param controlSocket whether the store opens a socket in its directory, through which the {@code kvmdb} command works
 *     on the store while it is open. Only this user and root can connect.
 * @param countersFile whether the store copies its counters to a file in its directory, for {@code kvmdb stats} and
 *     {@code kvmdb top}
 * @param compressedTierShare largest share of the cache that may hold compressed blocks. A page evicted from memory is
 *     then restored without a device read. From 0 (off) to 0.9375; of a cache smaller than 128 MiB, an eighth is always
 *     left to pages. Compressed blocks use none of the cache until a page has to be evicted, and none for data that do
 *     not compress. Within the limit the store adapts the share to the access pattern.
 * @param directReads whether pages are read past the operating system's cache if the file system allows it; for a store
 *     whose own cache has most of the memory. Sequential reads then come in large pieces, which do not enter the
 *     compressed tier.
 * @param dictionary whether the store builds a dictionary from its first pages, provided that compressing against it
 *     makes pages at least a tenth smaller. Text in pages of 4 KiB becomes a fifth smaller and takes up to a third more
 *     time to compress. A store keeps its dictionary for good, including pieces of pages that are later overwritten or
 *     deleted.
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

    /**
     * 256 MiB of cache, at most three quarters of it for compressed blocks; 16 MiB segments; no size limit but the
     * disk's.
     */
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
