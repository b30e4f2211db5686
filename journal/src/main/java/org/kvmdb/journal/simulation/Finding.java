package org.kvmdb.journal.simulation;

/**
 * Something wrong that a campaign found.
 *
 * @param what which invariant broke, where, with the values
 * @param repeat the command that shows it again
 * @param workload the smallest sequence of steps that was found to show it, a step a line; empty when none was sought
 */
public record Finding(String what, String repeat, String workload) {}
