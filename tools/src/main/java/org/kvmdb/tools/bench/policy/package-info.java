/**
 * Eviction policies, simulated on traces of page accesses: the policy of the shim's {@code page_evict.c}, and known
 * ones for comparison. A trace lists page numbers, from 0, in the order of accesses. One thread.
 */
package org.kvmdb.tools.bench.policy;
