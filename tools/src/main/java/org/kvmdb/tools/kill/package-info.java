/**
 * Repeated SIGKILL: {@link org.kvmdb.tools.kill.KillLoop} starts a child that works on a store, kills it at a moment of
 * its choice, and has the remaining store checked. A {@link org.kvmdb.tools.kill.KillSubject} defines the work of the
 * child and the checks. The store's own tests and users' workloads run under the same loop.
 */
package org.kvmdb.tools.kill;
