/**
 * Benchmarks. Each compares the store with a peer or a physical limit in the same run: alternating rounds, medians,
 * ratios. A single figure says more about the machine than about the store.
 */
package org.kvmdb.tools.bench;
