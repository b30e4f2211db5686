/**
 * The public API of KVM DB: a {@link org.kvmdb.Store} holds {@link org.kvmdb.Volume}s, a volume is a
 * {@link java.lang.foreign.MemorySegment} that commits. Applications depend on this package alone.
 *
 * <p>Priorities: what is acknowledged is never lost and no wrong byte is returned; every failure is a typed
 * {@link org.kvmdb.StoreException} that says what, where and what to do; the API stays small.
 *
 * <p>Threads: all types are thread-safe. One agent per store, {@code kvmdb-maintenance}, takes checkpoints, seals an idle
 * log and prepares segments; {@code kvmdb-control} answers the {@code kvmdb} command, see {@link org.kvmdb.control}.
 */
package org.kvmdb;
