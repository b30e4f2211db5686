/**
 * The demo: shows on real data, while you watch, that the store keeps its promises.
 *
 * <p>A worker process changes a volume and is killed. The expected content follows from two sources alone: the
 * {@link org.kvmdb.tools.demo.Workload}, which defines what every transaction of every thread writes, and the
 * {@link org.kvmdb.tools.demo.CommitRecord}, in which the worker records each transaction before it starts and after
 * its commit has returned.
 */
package org.kvmdb.tools.demo;
