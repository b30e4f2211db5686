package org.kvmdb.journal;

/**
 * What a stream holds, or held so far.
 *
 * @param pages that are in it
 * @param holes pages that it makes holes of
 * @param payloadBytes of the pages, as they are stored
 * @param streamBytes all of it
 */
public record StreamTotals(long pages, long holes, long payloadBytes, long streamBytes) {}
