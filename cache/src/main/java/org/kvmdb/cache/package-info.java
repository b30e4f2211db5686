/**
 * Volumes as memory. A {@link org.kvmdb.cache.Region} is a volume or a snapshot mapped into this process. The
 * {@link org.kvmdb.cache.PageCache} holds the regions of one store within one budget. The
 * {@link org.kvmdb.cache.CommitCoordinator} groups commits, which make written pages durable.
 *
 * <p>Priorities, in order: no wrong byte; no hang (nothing that a page fault waits for runs here, see {@code native});
 * hits that cost nothing; short commits; memory within the budget.
 *
 * <p>Threads: the callers of commit do its work themselves; one of them leads a group. Each store also has:
 *
 * <ul>
 *   <li>the agents {@code kvmdb-evictor} and {@code kvmdb-stealer}, which sleep until the fault path reports pressure;
 *   <li>the agent {@code kvmdb-prefetcher}, which sleeps until it is asked;
 *   <li>one to four agents {@code kvmdb-read-ahead-N}, which wait in the shim for requests of faults;
 *   <li>threads {@code kvmdb-reader-N}, which perform pieces of large reads;
 *   <li>two pools of {@code kvmdb-encoder-N}, which compress pages: one for commits, which gives way to threads that
 *       write, and one for stealing and large writes.
 * </ul>
 *
 * Readers and encoders start when they are first needed. A thread that writes back (a leading committer, the stealer, a
 * large write, rollback, resize) holds the write-back lock.
 *
 * <p>Hot paths: the page fault (all in C); freeze, copy-out, encode and append of a small commit.
 */
package org.kvmdb.cache;
