#define _GNU_SOURCE
#include "page_evict.h"
#include "bad_page.h"
#include "kernel.h"
#include "spill_area.h"

#include <errno.h>
#include <string.h>

/* How many queue entries, or dirty pages, one call looks at to fill its batch. */
#define LOOK_MAX (4 * KVMDB_BATCH)

void pressure_raise(struct pool *pool, uint32_t bits)
{
    if ((atomic_load_explicit(&pool->pressure, memory_order_relaxed) & bits) == bits)
        return;
    atomic_fetch_or(&pool->pressure, bits);
    futex_wake(&pool->pressure, INT32_MAX);
}

/* ---- batches ---- */

void batch_add(struct page_batch *batch, struct region *region, uint64_t lpn, uint64_t word, uint64_t kept)
{
    int i = batch->count++;
    batch->pages[i].region = region;
    batch->pages[i].lpn = lpn;
    batch->pages[i].word = word;
    batch->pages[i].kept = kept;
    batch->ranges[i] = (struct iovec){(void *)page_address(region, lpn), region->page_bytes};
}

/* The page is out of memory. Counts it and publishes its word. */
static void publish_dropped(struct region *region, uint64_t lpn, uint64_t word)
{
    if (word & PAGE_OUT) {
        atomic_fetch_add(&region->spill_pages, 1);
        atomic_fetch_sub(&region->dirty_in_memory, 1);
        atomic_fetch_sub(&region->pool->dirty_bytes, (int64_t)region->page_bytes);
    }
    atomic_fetch_sub(&region->pool->resident_bytes, (int64_t)region->page_bytes);
    if (region->parts)
        atomic_store(&region->parts[lpn], 0);
    page_unlock(&region->words[lpn], word);
}

/* Zeros in place of content that must not be seen and cannot be dropped. Announced, then recorded first, as in a fault. */
static void poison(struct region *region, uint64_t lpn, uint64_t word, int error)
{
    int uffd = region->pool->uffd;
    uint64_t address = page_address(region, lpn);
    struct bad_page bad = {.cause = KVMDB_BAD_KERNEL, .detail = -error};
    page_bitmap_set(&region->poisoned, lpn);
    bad_page_record(region, lpn, &bad);
    /* Parts that are gone after all are filled first: a fault here would wait for the lock that is held. */
    if (kernel_copy(uffd, address, bad_page_zeros, region->page_bytes, true) == 0
        && kernel_write_protect(uffd, address, region->page_bytes, false) == 0)
        memset((void *)address, 0, region->page_bytes);
    kernel_write_protect(uffd, address, region->page_bytes, true);
    if (region->parts)
        atomic_store(&region->parts[lpn], 0);
    page_unlock(&region->words[lpn], POISONED | (word & PAGE_QUEUED));
}

/* The kernel did not drop the page. */
static void publish_kept(struct region *region, uint64_t lpn, uint64_t word, uint64_t kept, int error)
{
    if (page_state(kept) == EMPTY)
        poison(region, lpn, word, error);
    else
        page_unlock(&region->words[lpn], page_state(kept) == CLEAN ? queue_page(region, lpn, kept) : kept);
}

int batch_drop(struct page_batch *batch)
{
    int gone = 0;
    for (int i = 0; i < batch->count;) {
        int dropped;
        int r = kernel_zap(&batch->ranges[i], batch->count - i, &dropped);
        gone += dropped;
        for (int end = i + dropped; i < end; i++)
            publish_dropped(batch->pages[i].region, batch->pages[i].lpn, batch->pages[i].word);
        if (r) {
            publish_kept(batch->pages[i].region, batch->pages[i].lpn, batch->pages[i].word, batch->pages[i].kept, r);
            i++;
        }
    }
    batch->count = 0;
    return gone;
}

/* ---- queues ---- */

static uint64_t queue_length(const struct page_queue *queue)
{
    return atomic_load(&queue->tail) - atomic_load(&queue->head);
}

static void queue_put(struct page_queue *queue, uint64_t entry)
{
    uint64_t ticket = atomic_fetch_add(&queue->tail, 1);
    atomic_store_explicit(&queue->ring[ticket & queue->mask], entry, memory_order_release);
}

/* The oldest entry, or 0; a putter that has its ticket but has not written yet ends the queue for now. */
static uint64_t queue_take(struct page_queue *queue)
{
    uint64_t head = atomic_load(&queue->head);
    if (head == atomic_load(&queue->tail))
        return 0;
    uint64_t entry = atomic_exchange(&queue->ring[head & queue->mask], 0);
    if (entry)
        atomic_store(&queue->head, head + 1);
    return entry;
}

static uint64_t queue_entry(const struct region *region, uint64_t lpn)
{
    return (uint64_t)region->index << 48 | (lpn + 1);
}

uint32_t evictions_since(const struct pool *pool, uint64_t word)
{
    uint32_t stamp = page_stamp(word);
    return page_state(word) != EMPTY || stamp == 0 ? UINT32_MAX : atomic_load(&pool->eviction_clock) - stamp;
}

/*
 * Within a quarter of the pages that are kept. As nothing sees hits, coming back is all that tells a page that is used much
 * from one that is not, and over longer times it tells less: kvmdb bench policy.
 */
bool came_back_soon(const struct pool *pool, uint64_t word)
{
    return evictions_since(pool, word) <= (queue_length(&pool->main) + queue_length(&pool->small)) / 4;
}

uint64_t queue_page(struct region *region, uint64_t lpn, uint64_t word)
{
    if (word & PAGE_QUEUED)
        return word;
    struct pool *pool = region->pool;
    if (came_back_soon(pool, word)) {
        word |= PAGE_HOT;
        COUNT(pool, ghost_hits, 1);
    }
    struct page_queue *queue = word & PAGE_HOT ? &pool->main : &pool->small;
    /* Pages dropped by other ways than eviction leave entries behind; they must not fill the ring. */
    if (queue_length(queue) >= queue->mask - KVMDB_STRIPES * KVMDB_BATCH) {
        atomic_fetch_add(&pool->unqueued, 1);
        return word;
    }
    queue_put(queue, queue_entry(region, lpn));
    return word | PAGE_QUEUED;
}

static struct page_queue *queue_to_evict_from(struct pool *pool)
{
    uint64_t small = queue_length(&pool->small);
    uint64_t main = queue_length(&pool->main);
    return main == 0 || small > (small + main) / 10 ? &pool->small : &pool->main;
}

uint32_t next_eviction_stamp(struct pool *pool)
{
    uint32_t stamp = atomic_fetch_add(&pool->eviction_clock, 1) + 1;
    return stamp ? stamp : 1;
}

/* What becomes of the page of a queue entry: into the batch, back into the queue, or out of it. */
static void consider(struct pool *pool, struct page_batch *batch, uint64_t entry, bool from_main)
{
    struct region *region = atomic_load(&pool->regions[entry >> 48]);
    uint64_t lpn = (entry & 0xffffffffffffull) - 1;
    if (!region || lpn >= region->reserve_bytes >> region->page_shift)
        return;
    uint64_t word;
    if (!page_try_lock(&region->words[lpn], &word)) {
        /* Somebody is at work on it, so it is in use. */
        queue_put(from_main ? &pool->main : &pool->small, entry);
        return;
    }
    word &= ~PAGE_QUEUED;
    if (page_state(word) != CLEAN || page_is_pinned(word)) {
        if (page_state(word) == CLEAN)
            word = queue_page(region, lpn, word);
        page_unlock(&region->words[lpn], word); /* a dirty page is queued again when it becomes clean */
        return;
    }
    if (word & PAGE_USES_MASK) {
        word = (word - PAGE_USE) | PAGE_HOT;
        page_unlock(&region->words[lpn], queue_page(region, lpn, word));
        return;
    }
    batch_add(batch, region, lpn, page_with_stamp(EMPTY, next_eviction_stamp(pool)), word);
}

/* Evicts at most a batch. Returns the pages evicted. The eviction lock is held. */
static int evict_batch(struct pool *pool)
{
    struct page_batch batch;
    batch.count = 0;
    for (int looks = 0; looks < LOOK_MAX && batch.count < KVMDB_BATCH; looks++) {
        struct page_queue *queue = queue_to_evict_from(pool);
        uint64_t entry = queue_take(queue);
        if (!entry)
            break;
        consider(pool, &batch, entry, queue == &pool->main);
    }
    int evicted = batch_drop(&batch);
    COUNT(pool, evicted_pages, (uint64_t)evicted);
    return evicted;
}

/* ---- pages that no queue knows ---- */

/* Goes over the region's pages, on from where the last call stopped, until the batch is full. False at the end. */
static bool sweep_from(struct pool *pool, struct region *region, struct page_batch *batch)
{
    uint64_t pages = region->reserve_bytes >> region->page_shift;
    for (uint64_t lpn = region->sweep_cursor; lpn < pages; lpn++) {
        if (!atomic_load_explicit(&region->groups[lpn >> KVMDB_GROUP_SHIFT], memory_order_relaxed)) {
            lpn |= (1u << KVMDB_GROUP_SHIFT) - 1;
            continue;
        }
        uint64_t word = atomic_load_explicit(&region->words[lpn], memory_order_relaxed);
        if (page_state(word) != CLEAN || word & PAGE_QUEUED || !page_try_lock(&region->words[lpn], &word))
            continue;
        if (page_state(word) != CLEAN || word & PAGE_QUEUED || page_is_pinned(word)) {
            page_unlock(&region->words[lpn], word);
            continue;
        }
        batch_add(batch, region, lpn, page_with_stamp(EMPTY, next_eviction_stamp(pool)), word);
        if (batch->count == KVMDB_BATCH) {
            region->sweep_cursor = lpn + 1;
            return true;
        }
    }
    region->sweep_cursor = 0;
    return false;
}

/* Evicts pages that found a queue full, as a long transaction or a rollback may leave it. The eviction lock is held. */
static int sweep_batch(struct pool *pool)
{
    struct page_batch batch;
    batch.count = 0;
    for (int i = 0; i < KVMDB_REGIONS_MAX && batch.count == 0 && atomic_load(&pool->unqueued) > 0; i++) {
        struct region *region = atomic_load(&pool->regions[pool->sweep_region]);
        if (region && sweep_from(pool, region, &batch))
            break;
        pool->sweep_region = (pool->sweep_region + 1) % KVMDB_REGIONS_MAX;
        if (pool->sweep_region == 0) { /* all that were left out before this round began were seen */
            atomic_fetch_sub(&pool->unqueued, pool->unqueued_seen);
            pool->unqueued_seen = atomic_load(&pool->unqueued);
        }
    }
    int evicted = batch_drop(&batch);
    COUNT(pool, evicted_pages, (uint64_t)evicted);
    return evicted;
}

/* ---- spilling ---- */

/* Moves a locked dirty page to the spill area and into the batch. False, with the page unlocked, when it cannot. */
static bool spill_page(struct region *region, uint64_t lpn, uint64_t word, struct page_batch *batch)
{
    uint64_t address = page_address(region, lpn);
    if (kernel_write_protect(region->pool->uffd, address, region->page_bytes, true) != 0
        || spill_write(region, lpn, (void *)address) != 0) {
        if (region->parts)
            atomic_store(&region->parts[lpn], 0);
        page_unlock(&region->words[lpn], word); /* still dirty; the next write finds it protected and lifts that */
        return false;
    }
    if (region->parts)
        atomic_store(&region->parts[lpn], 0);
    batch_add(batch, region, lpn, word | PAGE_OUT, word);
    return true;
}

/* Goes round the region's dirty pages, on from where the last call stopped. */
static void spill_from(struct region *region, struct page_batch *batch)
{
    bool wrapped = false;
    for (int looks = 0; looks < LOOK_MAX && batch->count < KVMDB_BATCH / 4; looks++) {
        uint64_t lpn = page_bitmap_next(&region->dirty, region->spill_cursor);
        if (lpn == PAGE_BITMAP_END) {
            if (wrapped)
                return;
            wrapped = true;
            region->spill_cursor = 0;
            continue;
        }
        region->spill_cursor = lpn + 1;
        uint64_t word;
        if (!page_try_lock(&region->words[lpn], &word))
            continue;
        if (page_state(word) != DIRTY || word & (PAGE_OUT | PAGE_ASIDE) || page_is_pinned(word))
            page_unlock(&region->words[lpn], word);
        else if (!spill_page(region, lpn, word, batch))
            return;
    }
}

/* Spills a few dirty pages. Returns how many. The eviction lock is held. */
static int spill_batch(struct pool *pool)
{
    struct page_batch batch;
    batch.count = 0;
    for (int i = 0; i < KVMDB_REGIONS_MAX && batch.count == 0; i++) {
        struct region *region = atomic_load(&pool->regions[pool->spill_region]);
        if (region && region->spill_fd >= 0)
            spill_from(region, &batch);
        if (batch.count == 0)
            pool->spill_region = (pool->spill_region + 1) % KVMDB_REGIONS_MAX;
    }
    int spilled = batch_drop(&batch);
    COUNT(pool, spilled_pages, (uint64_t)spilled);
    return spilled;
}

/* ---- room ---- */

void make_room(struct pool *pool, int64_t bytes)
{
    _Atomic int64_t *wanted = &pool->tier.wanted_bytes;
    int64_t resident = atomic_load(&pool->resident_bytes) + bytes + atomic_load(wanted);
    if (resident > pool->evict_high_bytes)
        pressure_raise(pool, PRESSURE_EVICT);
    while (resident > (int64_t)pool->options.budget_bytes) {
        futex_lock(&pool->evict_lock);
        int progress = 0;
        /* Whoever held the lock may have made the room already. */
        if (atomic_load(&pool->resident_bytes) + bytes + atomic_load(wanted) <= (int64_t)pool->options.budget_bytes)
            progress = 1;
        for (int rounds = 0; progress == 0 && rounds < 16; rounds++)
            progress = evict_batch(pool);
        if (progress == 0)
            progress = sweep_batch(pool);
        if (progress == 0) /* what is left is not to be dropped: it goes before the tier */
            progress = atomic_exchange(wanted, 0) != 0 || tier_yield(pool);
        if (progress == 0)
            progress = spill_batch(pool);
        futex_unlock(&pool->evict_lock);
        if (progress == 0) {
            COUNT(pool, overshoots, 1); /* everything left is pinned or frozen: a commit is about to end */
            return;
        }
        resident = atomic_load(&pool->resident_bytes) + bytes + atomic_load(wanted);
    }
}

bool has_room_ahead(struct pool *pool, int64_t bytes)
{
    int64_t budget = (int64_t)pool->options.budget_bytes;
    if (atomic_load(&pool->dirty_bytes) > pool->dirty_limit_bytes)
        return false;
    if (atomic_load(&pool->resident_bytes) + bytes + atomic_load(&pool->tier.wanted_bytes) > pool->evict_high_bytes)
        pressure_raise(pool, PRESSURE_EVICT);
    while (atomic_load(&pool->resident_bytes) + bytes + atomic_load(&pool->tier.wanted_bytes) > budget) {
        futex_lock(&pool->evict_lock);
        int evicted = evict_batch(pool);
        futex_unlock(&pool->evict_lock);
        if (evicted == 0)
            return false;
    }
    return true;
}

void make_room_for_dirty(struct pool *pool)
{
    int64_t dirty = atomic_load(&pool->dirty_bytes);
    if (dirty > pool->steal_bytes)
        pressure_raise(pool, PRESSURE_STEAL);
    if (dirty > pool->dirty_limit_bytes) {
        futex_lock(&pool->evict_lock);
        if (atomic_load(&pool->dirty_bytes) > pool->dirty_limit_bytes)
            spill_batch(pool);
        futex_unlock(&pool->evict_lock);
    }
}

int64_t kvmdb_pool_evict(struct pool *pool)
{
    int64_t evicted = 0;
    bool is_needed = atomic_load(&pool->resident_bytes) > pool->evict_high_bytes;
    while (is_needed && atomic_load(&pool->resident_bytes) > pool->evict_low_bytes) {
        futex_lock(&pool->evict_lock);
        int n = evict_batch(pool);
        if (n == 0)
            n = sweep_batch(pool);
        futex_unlock(&pool->evict_lock);
        if (n == 0)
            break;
        evicted += n;
    }
    share_adapt(pool);
    return evicted;
}
