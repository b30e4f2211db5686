/**
 * SIGKILL, over and over: {@link org.kvmdb.tools.kill.KillLoop} starts a child that works on a store, kills it at a
 * moment of its choice and has what is left checked. What the child does and what must hold is a {@link
 * org.kvmdb.tools.kill.KillSubject}; the store's own proof and the workloads of users run under the same loop.
 */
package org.kvmdb.tools.kill;
