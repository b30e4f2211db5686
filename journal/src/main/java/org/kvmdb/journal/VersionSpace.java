package org.kvmdb.journal;

/**
 * What a version takes.
 *
 * @param logicalBytes its size, holes counted
 * @param referencedPages pages that are not holes
 * @param referencedBytes bytes of their blocks, shared ones counted
 * @param uniqueBytes bytes of blocks of pages that would be freed if it alone were deleted
 * @param uniqueNodeBytes bytes of map nodes, as stored, that would be freed with them
 */
public record VersionSpace(
        long logicalBytes, long referencedPages, long referencedBytes, long uniqueBytes, long uniqueNodeBytes) {}
