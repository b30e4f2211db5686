/**
 * The control socket, through which the {@code kvmdb} command works on a store that another process has open. The
 * protocol is in {@code docs/control-socket.md}. Applications do not need this package; a store opens and closes its
 * socket itself.
 *
 * <p>Priorities: no input from the socket harms the store's process; a client never waits without limit; an operation
 * is one entry of {@link org.kvmdb.control.Operations}, the same for a live store and for one that the command opened
 * itself.
 *
 * <p>Threads: {@code kvmdb-control}, one per store, does all input and output and never blocks. Each request runs on a
 * {@code kvmdb-request} thread; there are at most as many as connections. All of them are daemons.
 */
package org.kvmdb.control;
