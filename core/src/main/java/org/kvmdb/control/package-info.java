/**
 * The control socket: how the {@code kvmdb} command works on a store that another process has open. The protocol is in
 * {@code docs/control-socket.md}. Applications do not need this package; a store opens and closes its socket itself.
 *
 * <p>Priorities: whatever comes through the socket does no harm to the store's process; a client never waits without
 * limit; an operation is one entry of {@link org.kvmdb.control.Operations}, the same for a live store and for one that
 * the command opened itself.
 *
 * <p>Threads: {@code kvmdb-control}, one per store, does all input and output and never blocks; each request runs on a
 * {@code kvmdb-request} thread, of which there are as many as connections at most. All of them are daemons.
 */
package org.kvmdb.control;
