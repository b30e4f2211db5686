/**
 * Space and health of a store. {@link org.kvmdb.gc.SegmentReclaimer} decides when dead segments are freed and which free
 * ones give their disk space back; {@link org.kvmdb.gc.Cleaner} moves what is live out of nearly dead segments;
 * {@link org.kvmdb.gc.StoreChecker} verifies every structure and every block of a store that is closed,
 * {@link org.kvmdb.gc.Scrubber} every block of one in use; {@link org.kvmdb.gc.SpaceCensus} counts what space is used for.
 *
 * <p>Priorities, in order: nothing is freed or given back that a durable root, a reader or a promise to a dirty page needs;
 * a full store goes on reading and gets out of being full; a check misses nothing and accuses nobody wrongly; the
 * foreground is not kept waiting; files shrink.
 *
 * <p>Threads: the reclaimer's steps run on the store's maintenance agent and hold the append lock for a few segments at a
 * time; checkpoints come from any thread. A check opens the store for itself, read-only, and has workers of its own that
 * end with it; its caller's thread alone reports progress. A scrub and a census run on their caller's thread, and hold the append lock for
 * some thousand blocks at a time.
 *
 * <p>Hot paths: none that a commit or a page fault runs through. A check is bound by the disk, or by checksums and
 * decompression of all blocks.
 */
package org.kvmdb.gc;
