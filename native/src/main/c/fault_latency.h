/*
 * How long faults and fills took: counts in buckets that are 6 % wide, in the stripes of the pool.
 */
#ifndef KVMDB_FAULT_LATENCY_H
#define KVMDB_FAULT_LATENCY_H

#include "pool.h"

/* Counts something that began then and ends now. Async-signal-safe. */
void latency_record(struct pool *pool, enum kvmdb_fault_kind kind, uint64_t begin_ns);

#endif
