/**
 * Devices that crash, fail and lie on purpose, and the proof that is made with them. A {@link
 * org.kvmdb.journal.simulation.RecordingDevice} keeps what was done to it, {@link
 * org.kvmdb.journal.simulation.CrashStates} says what a crash could have left of that, a {@link
 * org.kvmdb.journal.simulation.FaultyDevice} fails an operation. They go under the real store, through {@link
 * org.kvmdb.journal.Devices#mount}. A {@link org.kvmdb.journal.simulation.Campaign} is one part of the proof, run small by
 * the tests and large by {@code kvmdb crashtest}.
 *
 * <p>Priorities, in order: a fault model that is at least as bad as the world; the same seed gives the same run; speed,
 * since what is proven is proven by number.
 */
package org.kvmdb.journal.simulation;
