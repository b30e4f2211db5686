/**
 * Devices that crash, fail and lie on purpose, and the campaigns that test the store with them. A
 * {@link org.kvmdb.journal.simulation.RecordingDevice} records the operations on it,
 * {@link org.kvmdb.journal.simulation.CrashStates} derives the states that a crash could have left, and a
 * {@link org.kvmdb.journal.simulation.FaultyDevice} fails an operation. The real store runs on them through
 * {@link org.kvmdb.journal.Devices#mount}. Each {@link org.kvmdb.journal.simulation.Campaign} covers one part; tests
 * run it at a small scale, {@code kvmdb crashtest} at a large one.
 *
 * <p>Priorities, in order: a fault model at least as bad as reality; the same seed gives the same run; speed, because
 * confidence comes from the number of cases.
 */
package org.kvmdb.journal.simulation;
