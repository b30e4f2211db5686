package org.kvmdb;

/**
 * Summary of a stream.
 *
 * @param pages pages in the stream
 * @param holePages pages that the stream turns into holes
 * @param payloadBytes bytes of the pages, compressed
 * @param streamBytes bytes of the whole stream
 * @param resumedBytes bytes that an earlier, interrupted call had received; 0 when sending
 */
public record StreamSummary(long pages, long holePages, long payloadBytes, long streamBytes, long resumedBytes) {}
