/**
 * Space and health of a store. {@link org.kvmdb.gc.SegmentReclaimer} decides when dead segments are freed and which
 * free segments give their disk space back. {@link org.kvmdb.gc.Cleaner} moves live blocks out of nearly dead segments.
 * {@link org.kvmdb.gc.StoreChecker} verifies every structure and every block of a closed store,
 * {@link org.kvmdb.gc.Scrubber} every block of a store in use. {@link org.kvmdb.gc.SpaceCensus} counts how space is
 * used.
 *
 * <p>Priorities, in order: nothing is freed or given back that a durable root, a reader or the reservation of a dirty
 * page needs; a full store can still be read, and can become less full; a check misses no defect and reports no false
 * one; the foreground does not wait; files shrink.
 *
 * <p>Threads: the steps of the reclaimer and the cleaner run on the store's maintenance agent and hold the append lock
 * for a short piece of work at a time; checkpoints come from any thread. A check opens the store by itself, read-only,
 * and has its own workers, which end with it; only its caller's thread reports progress. A scrub and a census run on
 * their caller's thread, and hold the append lock for some thousand blocks at a time.
 *
 * <p>Hot paths: commits and page faults run through none of this. A check is limited by the disk, or by checksums and
 * decompression of all blocks.
 */
package org.kvmdb.gc;
