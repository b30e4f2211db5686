/**
 * What a store counts, in a file of its directory that any process can read while the store runs and after it died. A
 * store writes it by itself; {@link org.kvmdb.telemetry.CountersFile#read} reads it, without a lock and without the store.
 *
 * <p>Priorities: a fault or a commit never touches the file, so that it can never wait for the file's disk; a reader never
 * sees half of a distribution; whatever the file holds, reading it does no harm.
 */
package org.kvmdb.telemetry;
