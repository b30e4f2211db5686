/**
 * The same work by this store and by what people use today, in the same memory: {@code kvmdb bench peers}.
 *
 * <p>One {@link org.kvmdb.tools.peers.Peer} a system, one {@link org.kvmdb.tools.peers.Work} a kind of work. The parent
 * process ({@link org.kvmdb.tools.peers.PeersCommand}) only arranges: data are made, caches are dropped, and each
 * (work, round, system) runs in a JVM of its own ({@link org.kvmdb.tools.peers.Child}) under a limit of memory that counts
 * the page cache. Priorities: fair to every peer, then repeatable, then quick. docs/peers.md says how each peer is set up.
 */
package org.kvmdb.tools.peers;
