/**
 * The demo: the store's promises, proven on real data while one watches.
 *
 * <p>A worker process changes a volume and is killed; what must be there afterwards is known from two things alone: the
 * {@link org.kvmdb.tools.demo.Workload}, which says what every transaction of every thread writes, and the
 * {@link org.kvmdb.tools.demo.CommitRecord}, in which the worker notes each transaction before it starts and after its
 * commit returned.
 */
package org.kvmdb.tools.demo;
