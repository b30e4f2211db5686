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

/* Pieces of devices that are being put together, one at a time, and read. */
struct staging {
    struct pool *pool;
    uint32_t stages;      /* begun */
    uint32_t stages_left; /* that may be begun */
    bool is_certain;      /* that it will be used */
    uint32_t device;
    uint32_t blocks;      /* of the piece */
    uint64_t first;       /* page of the piece */
    uint64_t begin;
    uint64_t end;
};

static bool piece_has_room(const struct staging *s, const struct block_place *place)
{
    return s->blocks != 0 && s->device == place->device && place->position >= s->begin
        && place->position <= s->end + GAP_BYTES_MAX
        && place->position + place->bytes - s->begin <= KVMDB_STAGE_BYTES - 4096; /* it ends with a sector */
}

/* Begins to read the piece; one block alone is read by whoever fills its page. False when there is no stage for it. */
static bool read_piece(struct staging *s)
{
    if (s->blocks > 1) {
        uint64_t sector = s->pool->devices[s->device].direct_align;
        uint64_t end = (s->end + sector - 1) & -sector;
        uint32_t stage = s->is_certain ? stage_begin(s->pool, s->device, s->begin, end)
                                       : stage_begin_spare(s->pool, s->device, s->begin, end);
        if (stage == 0)
            return false;
        s->stages |= stage;
        s->stages_left--;
    }
    s->blocks = 0;
    return true;
}

/* Adds the block of a page. False when that would take more stages than there are. */
static bool add_block(struct staging *s, uint64_t lpn, const struct block_place *place)
{
    if (piece_has_room(s, place)) {
        s->end = s->end > place->position + place->bytes ? s->end : place->position + place->bytes;
        s->blocks++;
        return true;
    }
    if (!read_piece(s) || s->stages_left == 0)
        return false;
    s->device = place->device;
    s->blocks = 1;
    s->first = lpn;
    s->begin = place->position & -(uint64_t)s->pool->devices[place->device].direct_align;
    s->end = place->position + place->bytes;
    return true;
}

/* Whether a block would be read from the device, and not by what is under way. */
static bool is_to_be_staged(struct region *region, uint64_t lpn, struct block_place *place)
{
    return is_missing(region, lpn) && block_to_read(region, lpn, place) && region->pool->devices[place->device].is_direct
        && !stages_cover(region->pool, place->device, place->position, place->bytes);
}

/* Begins to read the blocks of every step-th page of [first, end) that is missing. Returns where it stopped: at the end, or for want of
 * stages before. */
static uint64_t stage_pages(struct region *region, uint64_t first, uint64_t end, uint64_t step, struct staging *s)
{
    struct fault_slot *slot = slot_acquire(region->pool); /* for its epoch */
    uint64_t lpn = first;
    for (; slot && lpn < end && lpn < atomic_load(&region->size_pages); lpn += step) {
        struct block_place place;
        if (is_to_be_staged(region, lpn, &place) && !add_block(s, lpn, &place))
            break;
    }
    if (!read_piece(s))
        lpn = s->first;
    if (slot)
        slot_release(region->pool, slot);
    return lpn;
}

uint32_t read_ahead_stage(struct region *region, uint64_t first, uint64_t end, uint64_t step)
{
    struct staging s = {.pool = region->pool, .stages_left = region->pool->stage_count, .is_certain = true};
    stage_pages(region, first, end, step, &s);
    return s.stages;
}

uint64_t kvmdb_region_read_ahead(struct region *region, uint64_t offset, uint64_t bytes)
{
    struct staging s = {.pool = region->pool, .stages_left = region->pool->stage_count * 3 / 8};
    if (s.stages_left == 0)
        return offset + bytes;
    uint64_t end = (offset + bytes + region->page_bytes - 1) >> region->page_shift;
    return stage_pages(region, offset >> region->page_shift, end, 1, &s) << region->page_shift;
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
