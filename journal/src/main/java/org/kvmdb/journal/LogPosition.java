package org.kvmdb.journal;

/**
 * The position at which the log continues.
 *
 * @param segment segment of the next batch
 * @param generation generation of that segment, which the batch must carry
 * @param salt salt of that segment, which the batch must carry
 * @param offset offset in the segment
 * @param sequence sequence of the next batch
 * @param digest digest of the batch before it
 */
record LogPosition(int segment, int generation, long salt, int offset, long sequence, long digest) {}
