package org.kvmdb;

/**
 * What was in a stream.
 *
 * @param pages that it held
 * @param holePages pages that it made holes of
 * @param payloadBytes of the pages, compressed
 * @param streamBytes all of it
 * @param resumedBytes of it that an earlier, interrupted call had received; 0 of a stream that was sent
 */
public record StreamSummary(long pages, long holePages, long payloadBytes, long streamBytes, long resumedBytes) {}
