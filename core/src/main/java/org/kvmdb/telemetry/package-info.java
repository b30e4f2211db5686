/**
 * The counters of a store, in a file in its directory that any process can read, while the store runs and after its
 * process has died. A store writes the file by itself. {@link org.kvmdb.telemetry.CountersFile#read} reads it without a
 * lock and without the store.
 *
 * <p>Priorities: a fault or a commit never touches the file, and so never waits for the file's disk; a reader never
 * sees half of a distribution; reading the file is harmless, whatever it contains.
 */
package org.kvmdb.telemetry;
