/**
 * The crash test for your own workloads. It runs your code on a device that records, fails and lies, and runs your
 * checker on each state that a crash could have left.
 *
 * <p>You write two classes: a {@link org.kvmdb.crashtest.CrashWorkload}, which works on a store and reports which
 * commits were acknowledged, and a {@link org.kvmdb.crashtest.CrashChecker}, which checks a recovered store.
 * {@link org.kvmdb.crashtest.CrashTest} runs them, in a test or as {@code kvmdb crashtest run}.
 * {@code docs/crash-testing.md} is the tutorial; {@link org.kvmdb.crashtest.bank} is a complete example.
 */
package org.kvmdb.crashtest;
