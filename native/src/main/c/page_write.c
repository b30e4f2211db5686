#define _GNU_SOURCE
#include "page_write.h"
#include "kernel.h"
#include "page_evict.h"
#include "page_fill.h"

#define RUN_PAGES (KVMDB_RUN_BYTES / KVMDB_PAGE_BYTES)
#define SET_PAGES 64

static bool is_missing(struct region *region, uint64_t lpn)
{
    return page_state(atomic_load_explicit(&region->words[lpn], memory_order_relaxed)) == EMPTY;
}

/* How many pages are EMPTY, from the first on, as far as one system call maps them. */
static uint32_t missing_pages(struct region *region, uint64_t lpn, uint64_t pages)
{
    uint32_t n = 0;
    while (n < pages && n < KVMDB_RUN_BYTES >> region->page_shift && is_missing(region, lpn + n))
        n++;
    return n;
}

/* Locks a page if it is EMPTY, nobody is at it, and there is space for what it will be. */
static bool take(struct region *region, uint64_t lpn, uint64_t *word)
{
    if (!page_try_lock(&region->words[lpn], word))
        return false;
    /* Before the look at the size: what a resize drops is looked for in groups that are counted. */
    account_states(region, lpn);
    if (page_state(*word) == EMPTY && lpn < atomic_load(&region->size_pages) && reserve_for_page(region, lpn) == 0)
        return true;
    page_unlock(&region->words[lpn], *word);
    return false;
}

static void give_back(struct region *region, uint64_t lpn, uint64_t word)
{
    kvmdb_space_release(region->pool->space, region->page_reservation_bytes);
    page_unlock(&region->words[lpn], word);
}

/* Writes pages of which each seemed EMPTY. Returns how many, from the first on; of the others nothing has changed. */
static uint32_t write_run(struct region *region, uint64_t lpn, uint32_t pages, const uint8_t *content)
{
    struct pool *pool = region->pool;
    uint64_t words[RUN_PAGES];
    make_room(pool, (int64_t)pages << region->page_shift);
    make_room_for_dirty(pool);
    uint32_t taken = 0;
    while (taken < pages && take(region, lpn + taken, &words[taken]))
        taken++;
    uint64_t bytes = (uint64_t)taken << region->page_shift;
    uint64_t mapped = taken ? kernel_copy_missing(pool->uffd, page_address(region, lpn), content, bytes) : 0;
    uint32_t written = (uint32_t)(mapped >> region->page_shift);
    if (written < taken) /* parts of a page must not stay behind its state's back */
        kernel_zap_range((void *)page_address(region, lpn + written), region->page_bytes);
    for (uint32_t i = 0; i < written; i++) {
        if (region->parts)
            atomic_store(&region->parts[lpn + i], UINT16_MAX);
        publish_mapped(region, lpn + i, words[i], true);
    }
    for (uint32_t i = written; i < taken; i++)
        give_back(region, lpn + i, words[i]);
    COUNT(pool, overwritten_pages, written);
    return written;
}

int64_t kvmdb_region_write_missing(struct region *region, uint64_t offset, uint64_t bytes, const uint8_t *source)
{
    uint64_t first = offset >> region->page_shift;
    uint64_t end = (offset + bytes) >> region->page_shift;
    if (region->read_only || offset + bytes < offset || end > atomic_load(&region->size_pages) || end > first + SET_PAGES)
        return 0;
    uint64_t set = 0;
    for (uint64_t lpn = (offset + region->page_bytes - 1) >> region->page_shift; lpn < end;) {
        uint32_t missing = missing_pages(region, lpn, end - lpn);
        uint32_t written = missing ? write_run(region, lpn, missing, source + ((lpn << region->page_shift) - offset)) : 0;
        set |= ((1ull << written) - 1) << (lpn - first);
        lpn += written ? written : 1;
    }
    return (int64_t)set;
}
