#include "tier_share.h"
#include "page_evict.h"
#include "pool.h"

/* What is saved, in decompressions: a read costs that of a fault from the tier several times over (3 in processor time,
 * 8 on the clock of one thread: docs/benchmarks.md). */
#define DECODE_COST 1
#define READ_COST 6

#define STEPS 16       /* of a budget */
#define MOVES 8        /* of a step */
#define CLEARLY_MORE 5 / 4
#define YIELDS_MAX 256 /* chunks that one call has the tier give back */

int64_t share_step_bytes(const struct pool *pool)
{
    return (int64_t)pool->options.budget_bytes / STEPS;
}

void share_page_came(struct region *region, uint32_t evictions_ago, bool was_read)
{
    struct pool *pool = region->pool;
    if (tier_is_active(&pool->tier) && (int64_t)evictions_ago << region->page_shift <= share_step_bytes(pool))
        atomic_fetch_add_explicit(&pool->share.frames_gain, was_read ? READ_COST : DECODE_COST, memory_order_relaxed);
}

void share_late_hit(struct pool *pool)
{
    atomic_fetch_add_explicit(&pool->share.tier_gain, READ_COST - DECODE_COST, memory_order_relaxed);
}

bool share_is_due(const struct pool *pool)
{
    uint32_t since = atomic_load(&pool->eviction_clock) - atomic_load(&pool->share.looked_at);
    return since >= share_step_bytes(pool) / KVMDB_PAGE_BYTES;
}

/* Of several threads one is told so. */
static bool is_time(struct pool *pool)
{
    uint32_t before = atomic_load(&pool->share.looked_at);
    return share_is_due(pool)
        && atomic_compare_exchange_strong(&pool->share.looked_at, &before, atomic_load(&pool->eviction_clock));
}

void share_adapt(struct pool *pool)
{
    struct tier_share *share = &pool->share;
    if (!tier_is_active(&pool->tier))
        return;
    if (is_time(pool)) {
        uint64_t frames = atomic_exchange(&share->frames_gain, 0);
        uint64_t tier = atomic_exchange(&share->tier_gain, 0);
        int64_t move = share_step_bytes(pool) / MOVES;
        if (frames > tier * CLEARLY_MORE)
            tier_resize(pool, -move);
        else if (tier > frames * CLEARLY_MORE)
            tier_resize(pool, move);
    }
    for (int i = 0; i < YIELDS_MAX && tier_is_too_large(&pool->tier) && tier_yield(pool); i++)
        ;
}
