#define _GNU_SOURCE
#include "read_ahead.h"
#include "page_evict.h"
#include "page_faulter.h"

/*
 *  A request in one word, so that none is ever half written:
 *   63         47 46        35 34                       0
 *  +-------------+------------+--------------------------+
 *  | stride (17) | pages (12) | address of the first (35, in 4 KiB) |
 *  +-------------+------------+--------------------------+
 */
#define ADDRESS_BITS 35
#define PAGES_BITS 12
#define STRIDE_SHIFT (ADDRESS_BITS + PAGES_BITS)
#define PAGES_MAX ((1u << PAGES_BITS) - 1)

static uint64_t pack(const struct region *region, const struct page_steps *steps)
{
    uint64_t pages = steps->pages < PAGES_MAX ? steps->pages : PAGES_MAX;
    return (uint64_t)steps->stride << STRIDE_SHIFT | pages << ADDRESS_BITS | page_address(region, steps->first) >> 12;
}

static bool put(struct request_ring *ring, uint64_t request)
{
    uint64_t tail = atomic_load(&ring->tail);
    do {
        /* The second is a place whose taker has not emptied it yet. */
        if (tail - atomic_load(&ring->head) >= KVMDB_REQUESTS || atomic_load(&ring->requests[tail % KVMDB_REQUESTS]))
            return false;
    } while (!atomic_compare_exchange_weak(&ring->tail, &tail, tail + 1));
    atomic_store(&ring->requests[tail % KVMDB_REQUESTS], request);
    return true;
}

/* The oldest request, or 0; one that has its place but is not written yet ends the ring for now. */
static uint64_t take(struct request_ring *ring)
{
    uint64_t head = atomic_load(&ring->head);
    uint64_t request;
    do {
        request = head == atomic_load(&ring->tail) ? 0 : atomic_load(&ring->requests[head % KVMDB_REQUESTS]);
        if (request == 0)
            return 0;
    } while (!atomic_compare_exchange_weak(&ring->head, &head, head + 1));
    atomic_store(&ring->requests[head % KVMDB_REQUESTS], 0);
    return request;
}

void read_ahead_ask(struct region *region, const struct page_steps *steps)
{
    struct request_ring *ring = &region->pool->requests;
    if (steps->first >= atomic_load(&region->size_pages) || !put(ring, pack(region, steps)))
        return;
    atomic_fetch_add(&ring->posted, 1);
    if (atomic_load(&ring->sleepers))
        futex_wake(&ring->posted, 1);
}

static bool is_missing(struct region *region, uint64_t lpn)
{
    return lpn < atomic_load(&region->size_pages)
        && (atomic_load_explicit(&region->words[lpn], memory_order_relaxed) & (PAGE_STATE_MASK | PAGE_LOCK)) == EMPTY;
}

/* Fills a page, and up to pages - 1 behind it, if nobody is at it. Returns how many; 0 also when it cannot be had. */
static uint32_t fill_if_missing(struct region *region, uint64_t lpn, uint32_t pages)
{
    uint64_t word;
    if (!is_missing(region, lpn) || !has_room_ahead(region->pool, (int64_t)pages * region->page_bytes)
        || !page_try_lock(&region->words[lpn], &word))
        return 0;
    struct bad_page bad;
    uint32_t filled = page_state(word) == EMPTY ? fill_pages(region, lpn, word, pages, false, 0, &bad) : 0;
    if (filled == 0)
        page_unlock(&region->words[lpn], word);
    return filled;
}

static void step(struct page_steps *steps, uint32_t pages)
{
    steps->first += (uint64_t)(steps->stride * (int64_t)pages);
    steps->pages -= pages;
}

/* Fills the first run of what is missing, and goes on to behind it. Neighbours are filled together, whichever way they are
 * read. Returns how many pages; 0 may be for want of room, too. */
static uint32_t fill_next(struct region *region, struct page_steps *steps)
{
    while (steps->pages > 0 && !is_missing(region, steps->first))
        step(steps, 1);
    uint32_t pages = KVMDB_RUN_BYTES >> region->page_shift;
    if (steps->stride != 1 && steps->stride != -1)
        pages = 1;
    if (pages > steps->pages)
        pages = steps->pages;
    uint64_t lpn = steps->stride == -1 && pages > 0 ? steps->first - (pages - 1) : steps->first;
    uint32_t sum = 0;
    for (uint32_t done = 0; done < pages;) {
        uint32_t filled = fill_if_missing(region, lpn + done, pages - done);
        sum += filled;
        done += filled ? filled : 1;
    }
    step(steps, pages);
    return sum;
}

void read_ahead_help(struct region *region, const struct page_steps *steps)
{
    struct page_steps rest = *steps;
    fill_next(region, &rest);
}

static uint32_t serve(uint64_t request)
{
    struct page_steps steps = {0, (int64_t)request >> STRIDE_SHIFT, request >> ADDRESS_BITS & PAGES_MAX};
    uint64_t address = (request & ((1ull << ADDRESS_BITS) - 1)) << 12;
    uint32_t sum = 0;
    while (steps.pages > 0) {
        /* Anew for each run: who closes the region waits no longer than that. */
        struct region *region = region_enter(address);
        if (!region)
            break;
        steps.first = (address - (uint64_t)region->base) >> region->page_shift;
        sum += fill_next(region, &steps);
        address = page_address(region, steps.first);
        region_leave(region);
    }
    return sum;
}

static uint64_t wait_for_request(struct pool *pool, int64_t timeout_ms)
{
    struct request_ring *ring = &pool->requests;
    struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000};
    uint32_t seen = atomic_load(&ring->posted);
    uint64_t request = take(ring);
    if (request == 0 && !(atomic_load(&pool->pressure) & PRESSURE_STOP)) {
        atomic_fetch_add(&ring->sleepers, 1);
        futex_wait(&ring->posted, seen, &timeout);
        atomic_fetch_sub(&ring->sleepers, 1);
        request = take(ring);
    }
    return request;
}

int64_t kvmdb_pool_read_ahead(struct pool *pool, int64_t timeout_ms)
{
    int64_t sum = 0;
    for (uint64_t request = wait_for_request(pool, timeout_ms); request; request = take(&pool->requests)) {
        if (atomic_load(&pool->pressure) & PRESSURE_STOP)
            break;
        sum += serve(request);
    }
    return sum;
}
