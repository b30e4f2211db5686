package org.kvmdb.gc;

/**
 * What a check found of a volume or a snapshot.
 *
 * @param name its name; of a snapshot: {@code volume@snapshot}
 * @param sizeBytes its size, holes counted
 * @param pageSizeBytes size of its pages
 * @param pages pages that are not holes, shared ones, too
 * @param blockBytes bytes of their blocks
 */
public record VolumeReport(String name, long sizeBytes, int pageSizeBytes, long pages, long blockBytes) {}
