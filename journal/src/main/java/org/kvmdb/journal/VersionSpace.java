package org.kvmdb.journal;

/**
 * The space of a version.
 *
 * @param logicalBytes size, including holes
 * @param referencedPages pages that are not holes
 * @param referencedBytes bytes of their blocks, including shared ones
 * @param uniqueBytes bytes of page blocks that deleting this version alone would free
 * @param uniqueNodeBytes bytes of stored map nodes that would be freed with them
 */
public record VersionSpace(
        long logicalBytes, long referencedPages, long referencedBytes, long uniqueBytes, long uniqueNodeBytes) {}
