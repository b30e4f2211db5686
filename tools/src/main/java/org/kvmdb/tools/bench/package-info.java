/**
 * Benchmarks, each beside a peer or a physical limit of the same run: alternating rounds, medians, ratios. A figure
 * alone says more about the machine than about the store.
 */
package org.kvmdb.tools.bench;
