/**
 * Volumes as memory. A {@link org.kvmdb.cache.Region} is a volume or a snapshot mapped into this process; the
 * {@link org.kvmdb.cache.PageCache} holds the regions of one store within one budget; the
 * {@link org.kvmdb.cache.CommitCoordinator} makes what was written durable.
 *
 * <p>Priorities, in order: no wrong byte; no hang (nothing that a page fault waits for runs here, see {@code native}); hits
 * that cost nothing; short commits; memory within the budget.
 *
 * <p>Threads: committers are the callers themselves, one of them leading a group. Three agents per store: the evictor and
 * the stealer sleep until the fault path reports pressure, the prefetcher until it is asked. A few workers compress.
 * Whoever writes back (a leading committer, the stealer, rollback, resize) holds the write-back lock.
 *
 * <p>Hot paths: the page fault (all in C); freeze, copy-out, encode and append of a small commit.
 */
package org.kvmdb.cache;
