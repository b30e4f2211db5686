package org.kvmdb.gc;

/**
 * What a check found of a volume.
 *
 * @param name its name
 * @param sizeBytes its size, holes counted
 * @param pageSizeBytes size of its pages
 * @param pages pages that are not holes
 * @param blockBytes bytes of their blocks
 */
public record VolumeReport(String name, long sizeBytes, int pageSizeBytes, long pages, long blockBytes) {}
