package org.kvmdb.gc;

/**
 * A volume or a snapshot in the result of a check.
 *
 * @param name name of the volume; for a snapshot {@code volume@snapshot}
 * @param sizeBytes size, including holes
 * @param pageSizeBytes size of one page
 * @param pages pages that are not holes, including shared ones
 * @param blockBytes bytes of their blocks
 */
public record VolumeReport(String name, long sizeBytes, int pageSizeBytes, long pages, long blockBytes) {}
