/**
 * The public API of KVM DB. A {@link org.kvmdb.Store} holds {@link org.kvmdb.Volume}s; a volume is a
 * {@link java.lang.foreign.MemorySegment} that you can commit. Applications depend on this package alone.
 *
 * <p>Priorities: acknowledged commits are never lost and no wrong byte is returned; every failure is a typed
 * {@link org.kvmdb.StoreException} that says what happened, where, and what to do; the API stays small.
 *
 * <p>Threads: all types are thread-safe. Each store has up to three threads of this module, besides those of
 * {@code org.kvmdb.cache}:
 *
 * <ul>
 *   <li>{@code kvmdb-maintenance} takes checkpoints, frees deleted versions, cleans, builds the dictionary, seals an
 *       idle log, checks that the store's file is still in place, and prepares the next segment.
 *   <li>{@code kvmdb-telemetry} copies counters to the counters file, if the store has one.
 *   <li>{@code kvmdb-control} answers the {@code kvmdb} command, if the store has a socket; each request runs on a
 *       thread of its own. See {@link org.kvmdb.control}.
 * </ul>
 */
package org.kvmdb;
