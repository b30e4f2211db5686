/**
 * Space and health of a store. {@link org.kvmdb.gc.SegmentReclaimer} decides when dead segments are freed and which free
 * ones give their disk space back; {@link org.kvmdb.gc.StoreChecker} verifies every structure and every block. A cleaner,
 * which moves what is live out of nearly dead segments, will live here, too.
 *
 * <p>Priorities, in order: nothing is freed or given back that a durable root, a reader or a promise to a dirty page needs;
 * a full store goes on reading and gets out of being full; a check misses nothing and accuses nobody wrongly; the
 * foreground is not kept waiting; files shrink.
 *
 * <p>Threads: the reclaimer's steps run on the store's maintenance agent and hold the append lock for a few segments at a
 * time; checkpoints come from any thread. A check opens the store for itself, read-only, and has workers of its own that
 * end with it; its caller's thread alone reports progress.
 *
 * <p>Hot paths: none that a commit or a page fault runs through. A check is bound by the disk, or by checksums and
 * decompression of all blocks.
 */
package org.kvmdb.gc;
