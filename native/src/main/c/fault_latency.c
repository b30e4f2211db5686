#define _GNU_SOURCE
#include "fault_latency.h"
#include "kernel.h"

#include <errno.h>
#include <string.h>

void latency_record(struct pool *pool, enum kvmdb_fault_kind kind, uint64_t begin_ns)
{
    uint64_t ns = monotonic_ns() - begin_ns;
    struct stripe *stripe = pool_stripe(pool);
    uint32_t shift = ns < 16 ? 0 : 59 - (uint32_t)__builtin_clzll(ns);
    uint32_t bucket = (shift << 4) + (uint32_t)(ns >> shift);
    if (bucket >= KVMDB_LATENCY_BUCKETS)
        bucket = KVMDB_LATENCY_BUCKETS - 1;
    atomic_fetch_add_explicit(&stripe->latency[kind][bucket], 1, memory_order_relaxed);
}

int kvmdb_pool_latency(struct pool *pool, int kind, uint64_t *buckets)
{
    if (kind < 0 || kind >= KVMDB_FAULT_KINDS)
        return -EINVAL;
    memset(buckets, 0, KVMDB_LATENCY_BUCKETS * sizeof *buckets);
    for (int s = 0; s < KVMDB_STRIPES; s++) {
        for (int i = 0; i < KVMDB_LATENCY_BUCKETS; i++)
            buckets[i] += atomic_load_explicit(&pool->stripes[s].latency[kind][i], memory_order_relaxed);
    }
    return 0;
}
