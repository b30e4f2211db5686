/**
 * Compares this store with other systems at the same work in the same memory: {@code kvmdb bench peers}.
 *
 * <p>Each system is a {@link org.kvmdb.tools.peers.Peer}, each kind of work a {@link org.kvmdb.tools.peers.Work}. The
 * parent process ({@link org.kvmdb.tools.peers.PeersCommand}) only coordinates: it makes the data, drops caches, and
 * runs each (work, round, system) in a JVM of its own ({@link org.kvmdb.tools.peers.Child}) under a memory limit that
 * counts the page cache. Priorities: fair to every peer, then repeatable, then quick. docs/peers.md describes the setup
 * of each peer.
 */
package org.kvmdb.tools.peers;
