#define _GNU_SOURCE
#include "page_read.h"
#include "bad_page.h"
#include "fault_latency.h"
#include "kernel.h"
#include "page_evict.h"
#include "page_faulter.h"
#include "read_ahead.h"

#include <errno.h>
#include <string.h>

/* Bytes of a region that are to be copied, and where to. */
struct span {
    uint64_t offset;
    uint64_t bytes;
    uint8_t *destination;
};

static uint64_t first_page(const struct region *region, const struct span *span)
{
    return span->offset >> region->page_shift;
}

static void step(struct span *span, uint64_t bytes)
{
    span->offset += bytes;
    span->destination += bytes;
    span->bytes -= bytes;
}

/* Copies what is wanted of the first page. */
static void copy(const struct region *region, struct span *span, const uint8_t *page)
{
    uint64_t skip = span->offset & (region->page_bytes - 1);
    uint64_t n = least(region->page_bytes - skip, span->bytes);
    memcpy(span->destination, page + skip, n);
    step(span, n);
}

/* Whether the page is not in memory, and is better passed. */
static bool is_passed(struct region *region, uint64_t lpn)
{
    uint64_t word = atomic_load(&region->words[lpn]); /* before the map: what it says is not older */
    return page_state(word) == EMPTY && !came_back_soon(region->pool, word);
}

/* Whether it is brought in for its own sake, and not since there is room, or nothing else would keep it and its neighbours. */
static bool is_hot(const struct region *region, uint64_t lpn)
{
    return lpn < atomic_load(&region->size_pages) && came_back_soon(region->pool, atomic_load(&region->words[lpn]));
}

/* Pages that the span touches, as far as they fit into a slot. */
static uint32_t pages_wanted(const struct region *region, const struct span *span)
{
    uint64_t skip = span->offset & (region->page_bytes - 1);
    return (uint32_t)(least(KVMDB_RUN_BYTES, skip + span->bytes + region->page_bytes - 1) >> region->page_shift);
}

/* How many of them, from the first on, are to be passed. */
static uint32_t passed_pages(struct region *region, const struct span *span)
{
    uint64_t lpn = first_page(region, span);
    uint32_t wanted = pages_wanted(region, span);
    uint32_t n = 0;
    while (n < wanted && lpn + n < atomic_load(&region->size_pages) && is_passed(region, lpn + n))
        n++;
    return n;
}

/* Stamps a page that was passed, unless somebody is at it. */
static void leave(struct region *region, uint64_t lpn)
{
    uint64_t word;
    if (!page_try_lock(&region->words[lpn], &word))
        return;
    if (page_state(word) == EMPTY) {
        account_states(region, lpn);
        word = page_with_stamp(word, next_eviction_stamp(region->pool));
    }
    page_unlock(&region->words[lpn], word);
}

/* The tier takes nothing that does not compress. */
static bool is_kept_by_tier(struct region *region, uint64_t lpn)
{
    return block_length(region, lpn) <= region->page_bytes;
}

/* Whether what comes in now would have to have a frame of another page. */
static bool frames_are_full(struct pool *pool)
{
    return tier_is_active(&pool->tier) && atomic_load(&pool->resident_bytes) >= atomic_load(&pool->evict_low_bytes);
}

/* Decodes pages to where they are wanted, or those at the ends of which a part is wanted into the slot, to be copied from there.
 * Returns how many, as block_read_run does. */
static uint32_t decode(struct region *region, struct fault_slot *slot, struct span *span, uint32_t pages, struct bad_page *bad)
{
    uint64_t whole = span->offset & (region->page_bytes - 1) ? 0 : span->bytes >> region->page_shift;
    uint32_t read = block_read_run(region, slot, first_page(region, span), whole ? (uint32_t)least(whole, pages) : 1,
        whole ? span->destination : slot->pages, bad);
    if (read && whole)
        step(span, (uint64_t)read << region->page_shift);
    else if (read)
        copy(region, span, slot->pages);
    return read;
}

/* Decodes pages that are passed, if the first of the span is. Returns how many; 0 with a cause in bad if that failed. */
static uint32_t read_past(struct region *region, struct span *span, struct bad_page *bad)
{
    struct pool *pool = region->pool;
    uint64_t lpn = first_page(region, span);
    uint64_t begin = monotonic_ns();
    struct fault_slot *slot = slot_acquire(pool);
    if (!slot) {
        bad->cause = KVMDB_BAD_DEADLINE;
        return 0;
    }
    uint32_t pages = passed_pages(region, span);
    uint32_t read = 0;
    if (pages > 0 && is_kept_by_tier(region, lpn))
        read = decode(region, slot, span, pages, bad);
    slot_release(pool, slot);
    for (uint32_t i = 0; i < read; i++)
        leave(region, lpn + i);
    COUNT(pool, passed_pages, read);
    if (read > 0)
        latency_record(pool, KVMDB_PASSED_READ, begin);
    if (share_is_due(pool))
        pressure_raise(pool, PRESSURE_EVICT);
    return read;
}

static bool is_in_memory(const struct region *region, uint64_t lpn)
{
    return lpn < atomic_load(&region->size_pages)
        && page_is_resident(atomic_load_explicit(&region->words[lpn], memory_order_relaxed));
}

/* Has what the span needs of the log read in large pieces, so far as it is not under way. */
static void stage(struct region *region, const struct span *span)
{
    uint64_t end = (span->offset + span->bytes + region->page_bytes - 1) >> region->page_shift;
    read_ahead_stage(region, first_page(region, span), end, 1);
}

/* Waits for what has been read ahead of the page, if that is still under way. */
static void await_stage(struct region *region, uint64_t lpn)
{
    if (!stages_are_coming(region->pool) || page_state(atomic_load(&region->words[lpn])) != EMPTY)
        return;
    struct fault_slot *slot = slot_acquire(region->pool);
    if (!slot)
        return;
    struct block_place place;
    bool is_read = block_to_read(region, lpn, &place);
    slot_release(region->pool, slot); /* others may need it: waiting is for the place alone, whatever lies there by then */
    if (is_read)
        stages_await(region->pool, place.device, place.position, place.bytes);
}

/* Copies at least a byte. 0, or -EIO, recorded. */
static int read_some(struct region *region, struct span *span)
{
    uint64_t lpn = first_page(region, span);
    struct bad_page bad = {0};
    if (!is_in_memory(region, lpn)) {
        await_stage(region, lpn);
        make_room(region->pool, 0); /* the tier may want some */
        if (frames_are_full(region->pool) && read_past(region, span, &bad) > 0)
            return 0;
        if (bad.cause) {
            bad_page_record(region, lpn, &bad);
            return -EIO;
        }
        int r = bring_in(region, lpn, is_hot(region, lpn) ? 1 : pages_wanted(region, span), true);
        if (r)
            return r;
    }
    copy(region, span, (const uint8_t *)page_address(region, lpn)); /* should it go meanwhile, by a fault */
    return 0;
}

int kvmdb_region_read(struct region *region, uint64_t offset, uint64_t bytes, uint8_t *destination)
{
    struct span span = {offset, bytes, destination};
    if (offset + bytes < offset || offset + bytes > atomic_load(&region->size_pages) << region->page_shift)
        return -EINVAL;
    /* The count first: zeros that are recorded later are found by it, those before it by the second. */
    uint64_t bad_before = atomic_load(&region->bad_count);
    int r = (int)kvmdb_region_unpoison(region);
    if (region->pool->stage_count > 0 && bytes > KVMDB_RUN_BYTES)
        stage(region, &span);
    while (span.bytes > 0 && r >= 0)
        r = read_some(region, &span);
    return r < 0 || atomic_load(&region->bad_count) != bad_before ? -EIO : 0;
}
