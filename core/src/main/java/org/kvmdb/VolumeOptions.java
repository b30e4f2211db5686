package org.kvmdb;

/**
 * Options for creating a volume. Immutable; start from {@link #ofSizeBytes(long)}.
 *
 * @param sizeBytes from 1 byte to 2^36 pages, rounded up to whole pages. Volumes are sparse: only written pages take
 *     space. Mapping is limited by address space: all volumes and snapshots that a process maps must fit twice into its
 *     128 TiB, some 40 TiB in all.
 * @param pageSizeBytes a power of two from 4096 to 65536. Larger pages compress better and cost more per small access.
 */
public record VolumeOptions(long sizeBytes, int pageSizeBytes) {

    public static final int PAGE_SIZE_BYTES_MIN = 4 << 10;
    public static final int PAGE_SIZE_BYTES_MAX = 64 << 10;

    public VolumeOptions {
        if (pageSizeBytes < PAGE_SIZE_BYTES_MIN
                || pageSizeBytes > PAGE_SIZE_BYTES_MAX
                || Integer.bitCount(pageSizeBytes) != 1) {
            throw new IllegalArgumentException(
                    "pageSizeBytes must be a power of two from 4096 to 65536: " + pageSizeBytes);
        }
        if (sizeBytes <= 0 || sizeBytes > sizeBytesMax(pageSizeBytes)) {
            throw new IllegalArgumentException(
                    "sizeBytes must be from 1 to 2^36 pages: " + sizeBytes);
        }
    }

    static long sizeBytesMax(int pageSizeBytes) {
        return (long) pageSizeBytes << 36;
    }

    public static VolumeOptions ofSizeBytes(long sizeBytes) {
        return new VolumeOptions(sizeBytes, PAGE_SIZE_BYTES_MIN);
    }

    public VolumeOptions withPageSizeBytes(int bytes) {
        return new VolumeOptions(sizeBytes, bytes);
    }
}
