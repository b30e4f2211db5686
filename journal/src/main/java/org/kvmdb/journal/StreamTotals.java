package org.kvmdb.journal;

/**
 * Totals of a stream, up to its end or so far.
 *
 * @param pages pages in the stream
 * @param holes pages that the stream turns into holes
 * @param payloadBytes bytes of the pages, as they are in the stream
 * @param streamBytes bytes of the whole stream
 */
public record StreamTotals(long pages, long holes, long payloadBytes, long streamBytes) {}
