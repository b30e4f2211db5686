/**
 * The crash test for workloads of your own: what you build on volumes is run on a device that records, fails and lies, and
 * what your checker says must hold is checked in each state that a crash could have left.
 *
 * <p>You write two classes: a {@link org.kvmdb.crashtest.CrashWorkload}, which works on a store and says what it has been
 * promised, and a {@link org.kvmdb.crashtest.CrashChecker}, which is shown a recovered store. {@link
 * org.kvmdb.crashtest.CrashTest} runs them, in a test or as {@code kvmdb crashtest run}. {@code docs/crash-testing.md} is
 * the tutorial; {@link org.kvmdb.crashtest.bank} is a whole example.
 */
package org.kvmdb.crashtest;
