#define _GNU_SOURCE
#include "read_ahead.h"
#include "block_reader.h"
#include "page_evict.h"
#include "page_faulter.h"

#include <stdlib.h>
#include <string.h>

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

/* ---- pieces of the log, read before they are needed ---- */

/* Bytes between two blocks that are read along with them rather than that there is a second read. */
#define GAP_BYTES_MAX (32u << 10)

/* A piece of a device that is being put together. */
struct piece {
    uint32_t device;
    uint32_t blocks;
    uint64_t begin;
    uint64_t end;
};

static bool piece_has_room(const struct piece *piece, const struct block_place *place)
{
    return piece->blocks != 0 && piece->device == place->device && place->position >= piece->begin
        && place->position <= piece->end + GAP_BYTES_MAX
        && place->position + place->bytes - piece->begin <= KVMDB_STAGE_BYTES - 4096; /* it ends with a sector */
}

/* One block alone is read by whoever fills its page. */
static uint32_t piece_read(struct pool *pool, const struct piece *piece)
{
    uint64_t sector = pool->devices[piece->device].direct_align;
    if (piece->blocks < 2 || pool->devices[piece->device].direct_fd < 0)
        return 0;
    return stage_begin(pool, piece->device, piece->begin, (piece->end + sector - 1) & -sector);
}

static struct piece piece_of(const struct pool *pool, const struct block_place *place)
{
    uint64_t sector = pool->devices[place->device].direct_align;
    return (struct piece){place->device, 1, sector ? place->position & -sector : place->position, place->position + place->bytes};
}

uint32_t read_ahead_stage(struct region *region, uint64_t first, uint64_t end, uint64_t step)
{
    struct pool *pool = region->pool;
    struct fault_slot *slot = slot_acquire(pool); /* for its epoch */
    struct piece piece = {0};
    uint32_t stages = 0;
    for (uint64_t lpn = first; slot && lpn < end && lpn < atomic_load(&region->size_pages); lpn += step) {
        struct block_place place;
        if (!is_missing(region, lpn) || !block_place(region, lpn, &place))
            continue;
        if (piece_has_room(&piece, &place)) {
            piece.end = piece.end > place.position + place.bytes ? piece.end : place.position + place.bytes;
            piece.blocks++;
        } else {
            stages |= piece_read(pool, &piece);
            piece = piece_of(pool, &place);
        }
    }
    stages |= piece_read(pool, &piece);
    if (slot)
        slot_release(pool, slot);
    return stages;
}

/* ---- serving ---- */

#define WORKS_MAX 2 /* the stages are of all threads */

/* A request that a thread has taken. */
struct work {
    uint64_t address;
    struct page_steps steps;
    uint32_t stages; /* not waited for yet */
};

/* The one that pages are filled for, and the next. */
struct work_list {
    struct work works[WORKS_MAX];
    uint32_t count;
};

/* Begins to read what the request will need; the page before it, too, which its reader fills. */
static void begin_work(struct pool *pool, struct work_list *list, uint64_t request)
{
    struct work *work = &list->works[list->count++];
    *work = (struct work){(request & ((1ull << ADDRESS_BITS) - 1)) << 12,
        {0, (int64_t)request >> STRIDE_SHIFT, request >> ADDRESS_BITS & PAGES_MAX}, 0};
    struct region *region = pool->stage_count ? region_enter(work->address) : NULL;
    if (!region)
        return;
    uint64_t first = (work->address - (uint64_t)region->base) >> region->page_shift;
    uint64_t length = (uint64_t)work->steps.pages * (uint64_t)llabs(work->steps.stride);
    uint64_t step = (uint64_t)llabs(work->steps.stride);
    if (work->steps.stride > 0)
        work->stages = read_ahead_stage(region, first > step ? first - step : 0, first + length, step);
    else if (work->steps.stride < 0 && length <= first)
        work->stages = read_ahead_stage(region, first - length + step, first + step + 1, step);
    region_leave(region);
}

/* Fills the first run of the oldest. Returns how many pages. */
static uint32_t serve(struct pool *pool, struct work_list *list)
{
    struct work *work = &list->works[0];
    stages_wait(pool, work->stages);
    work->stages = 0;
    /* Anew for each run: who closes the region waits no longer than that. */
    struct region *region = region_enter(work->address);
    uint32_t filled = 0;
    if (region) {
        work->steps.first = (work->address - (uint64_t)region->base) >> region->page_shift;
        filled = fill_next(region, &work->steps);
        work->address = page_address(region, work->steps.first);
        region_leave(region);
    }
    if (!region || work->steps.pages == 0) {
        list->count--;
        memmove(list->works, list->works + 1, list->count * sizeof *list->works);
    }
    return filled;
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
    struct work_list list = {.count = 0};
    uint64_t request = wait_for_request(pool, timeout_ms);
    while ((request || list.count > 0) && !(atomic_load(&pool->pressure) & PRESSURE_STOP)) {
        if (request)
            begin_work(pool, &list, request);
        sum += serve(pool, &list);
        request = list.count < WORKS_MAX ? take(&pool->requests) : 0;
    }
    return sum;
}
