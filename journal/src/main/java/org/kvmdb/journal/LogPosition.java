package org.kvmdb.journal;

/**
 * Where the log goes on.
 *
 * @param segment the segment that the next batch lies in
 * @param generation that segment's, which the batch must carry
 * @param salt that segment's, likewise
 * @param offset where in the segment
 * @param sequence the sequence of the next batch
 * @param digest the digest of the batch before it
 */
record LogPosition(int segment, int generation, long salt, int offset, long sequence, long digest) {}
