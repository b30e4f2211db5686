/**
 * Policies of eviction, simulated on traces of page accesses: what the shim's {@code page_evict.c} does beside what is known
 * elsewhere. A trace is the numbers of pages, from 0, in the order of their accesses. One thread.
 */
package org.kvmdb.tools.bench.policy;
