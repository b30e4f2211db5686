#define _GNU_SOURCE
#include "region.h"
#include "bad_page.h"
#include "device_reader.h"
#include "kernel.h"
#include "native_memory.h"
#include "page_faulter.h"
#include "path_reservation.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* A block stored raw, its record, and its share of batch headers, padding and the reference to a stolen page. */
#define PAGE_OVERHEAD_BYTES 256

/* Region structures are reused and never freed: a handler that raced with a close may still look at one. */
static struct region *_Atomic spare_regions[KVMDB_REGIONS_MAX];

static struct region *structure_acquire(void)
{
    for (int i = 0; i < KVMDB_REGIONS_MAX; i++) {
        struct region *spare = atomic_exchange(&spare_regions[i], NULL);
        if (spare)
            return spare;
    }
    int64_t memory = kvmdb_memory_reserve((sizeof(struct region) + 4095) & ~4095ull);
    return memory < 0 && memory > -4096 ? NULL : (struct region *)memory;
}

static void structure_release(struct region *region)
{
    /* users stays as it is: late handlers count themselves in and out. */
    for (int i = 0; i < KVMDB_REGIONS_MAX; i++) {
        struct region *none = NULL;
        if (atomic_compare_exchange_strong(&spare_regions[i], &none, region))
            return;
    }
}

/* Address space that starts on a granule, so that one load finds the region of an address. */
static int map_aligned(uint64_t length, uint8_t **out)
{
    int64_t memory = kvmdb_memory_reserve(length + REGION_GRANULE_BYTES);
    if (memory < 0 && memory > -4096)
        return (int)memory;
    uint64_t start = (uint64_t)memory;
    uint64_t aligned = (start + REGION_GRANULE_BYTES - 1) & ~(REGION_GRANULE_BYTES - 1);
    if (aligned > start)
        kvmdb_memory_release((void *)start, aligned - start);
    uint64_t tail = start + length + REGION_GRANULE_BYTES - (aligned + length);
    if (tail)
        kvmdb_memory_release((void *)(aligned + length), tail);
    *out = (uint8_t *)aligned;
    return 0;
}

static uint64_t page_aligned(uint64_t bytes)
{
    return (bytes + 4095) & ~4095ull;
}

static int open_arrays(struct region *region)
{
    uint64_t pages = region->reserve_bytes >> region->page_shift;
    uint64_t words = page_aligned(pages * sizeof *region->words);
    uint64_t sums = region->read_only ? 0 : page_aligned(pages * sizeof *region->spill_sums);
    uint64_t parts = region->page_bytes > KVMDB_PAGE_BYTES ? page_aligned(pages * sizeof *region->parts) : 0;
    uint64_t groups = page_aligned(pages >> KVMDB_GROUP_SHIFT);
    region->memory_bytes = 2 * words + sums + parts + groups;
    int64_t memory = kvmdb_memory_reserve(region->memory_bytes);
    if (memory < 0 && memory > -4096)
        return (int)memory;
    uint8_t *at = region->memory = (void *)memory;
    region->words = (void *)at;
    region->overlay = (void *)(at + words);
    region->spill_sums = sums ? (void *)(at + 2 * words) : NULL;
    region->parts = parts ? (void *)(at + 2 * words + sums) : NULL;
    region->groups = (void *)(at + 2 * words + sums + parts);
    int r = page_bitmap_open(&region->dirty, pages);
    if (r == 0)
        r = page_bitmap_open(&region->stolen, pages);
    if (r == 0)
        r = page_bitmap_open(&region->poisoned, pages);
    if (r)
        return r;
    memory = kvmdb_memory_reserve(region->reserve_bytes);
    if (memory < 0 && memory > -4096)
        return (int)memory;
    region->shadow = (uint8_t *)memory;
    return 0;
}

static void release_memory(struct region *region)
{
    if (region->base)
        kvmdb_memory_release(region->base, region->reserve_bytes);
    if (region->shadow)
        kvmdb_memory_release(region->shadow, region->reserve_bytes);
    if (region->memory)
        kvmdb_memory_release(region->memory, region->memory_bytes);
    page_bitmap_close(&region->dirty);
    page_bitmap_close(&region->stolen);
    page_bitmap_close(&region->poisoned);
}

/* Everything but users, which late handlers of a former life may still count. */
static void reset(struct region *region, struct pool *pool, const struct kvmdb_region_options *options)
{
    memset((uint8_t *)region + offsetof(struct region, pool), 0, sizeof *region - offsetof(struct region, pool));
    region->pool = pool;
    region->page_shift = (uint32_t)options->page_shift;
    region->page_bytes = 1u << options->page_shift;
    region->reserve_bytes = options->reserve_bytes;
    region->read_only = options->flags & KVMDB_REGION_READ_ONLY;
    region->family = options->family;
    region->spill_fd = -1;
    region->page_reservation_bytes = region->page_bytes + PAGE_OVERHEAD_BYTES;
    region->size_pages = options->size_bytes >> options->page_shift;
    region->map_root = (uint32_t)options->map_root;
}

static int take_index(struct pool *pool, struct region *region)
{
    for (uint32_t i = 0; i < KVMDB_REGIONS_MAX; i++) {
        struct region *none = NULL;
        region->index = i;
        if (atomic_compare_exchange_strong(&pool->regions[i], &none, region))
            return 0;
    }
    return -EMFILE;
}

int kvmdb_region_open(struct pool *pool, const struct kvmdb_region_options *options, struct region **out)
{
    if (options->page_shift < 12 || options->page_shift > 16 || options->size_bytes > options->reserve_bytes
        || options->reserve_bytes % REGION_GRANULE_BYTES != 0 || options->flags & ~(uint64_t)KVMDB_REGION_READ_ONLY)
        return -EINVAL;
    struct region *region = structure_acquire();
    if (!region)
        return -ENOMEM;
    reset(region, pool, options);
    int r = map_aligned(region->reserve_bytes, &region->base);
    if (r == 0)
        r = open_arrays(region);
    if (r == 0)
        r = kernel_register(pool->uffd, region->base, region->reserve_bytes);
    if (r == 0)
        r = take_index(pool, region);
    if (r) {
        release_memory(region);
        structure_release(region);
        return r;
    }
    if (options->spill_fd >= 0)
        region->spill_waits = device_waits((int)options->spill_fd);
    region->spill_fd = (int)options->spill_fd;
    faulter_add(region);
    *out = region;
    return 0;
}

/* What the region's pages count in the pool. */
static void uncount(struct region *region)
{
    uint64_t groups = region->reserve_bytes >> region->page_shift >> KVMDB_GROUP_SHIFT;
    int64_t bytes = 0;
    for (uint64_t g = 0; g < groups; g++) {
        if (!(region->groups[g] & GROUP_STATES_COUNTED))
            continue;
        bytes += KVMDB_PAGE_BYTES;
        for (uint64_t lpn = g << KVMDB_GROUP_SHIFT; lpn < (g + 1) << KVMDB_GROUP_SHIFT; lpn++) {
            uint64_t word = region->words[lpn];
            if (page_is_resident(word) || page_state(word) == POISONED)
                bytes += region->page_bytes;
        }
    }
    atomic_fetch_sub(&region->pool->resident_bytes, bytes);
    atomic_fetch_sub(&region->pool->dirty_bytes, (int64_t)atomic_load(&region->dirty_in_memory) * region->page_bytes);
}

int kvmdb_region_close(struct region *region)
{
    struct pool *pool = region->pool;
    faulter_remove(region);
    futex_lock(&pool->evict_lock);
    atomic_store(&pool->regions[region->index], NULL);
    futex_unlock(&pool->evict_lock);
    struct page_batch batch;
    batch.count = 0;
    /* Returns the reservations of what was never committed. */
    for (uint64_t lpn = 0; (lpn = page_bitmap_next(&region->dirty, lpn)) != PAGE_BITMAP_END; lpn++)
        region_drop_page(region, lpn, &batch);
    batch_drop(&batch);
    /* Groups whose pages could not be filled after all still hold theirs. */
    while (atomic_load(&region->path_reservations) > 0)
        kvmdb_space_release(pool->space, path_reservation_remove(region));
    uncount(region);
    kernel_unregister(pool->uffd, region->base, region->reserve_bytes);
    release_memory(region);
    if (region->spill_fd >= 0)
        close(region->spill_fd);
    structure_release(region);
    return 0;
}

int64_t kvmdb_region_base(struct region *region)
{
    return (int64_t)region->base;
}

int kvmdb_region_map_root(struct region *region, int64_t node)
{
    atomic_store(&region->map_root, (uint32_t)node);
    return 0;
}

int64_t kvmdb_region_dirty_pages(struct region *region)
{
    return (int64_t)atomic_load(&region->dirty_in_memory);
}

/* Gives back what was reserved for a page that will not be committed, and for its map nodes. */
static void release_reservations(struct region *region, uint64_t lpn, uint64_t word)
{
    struct kvmdb_space_account *space = region->pool->space;
    if (!(word & PAGE_UNRESERVED))
        kvmdb_space_release(space, region->page_reservation_bytes);
    if (path_is_dirty(region, lpn))
        return; /* the map's path is still to be written */
    if (path_reservation_take(region, lpn))
        kvmdb_space_release(space, path_reservation_remove(region));
    path_reservation_keep(region, lpn);
}

static void forget_aside(struct region *region, uint64_t lpn, uint64_t word)
{
    struct pool *pool = region->pool;
    if (word & PAGE_ASIDE_MEMORY) {
        kernel_zap_range(region->shadow + (lpn << region->page_shift), region->page_bytes);
        atomic_fetch_sub(&pool->shadow_bytes, (int64_t)region->page_bytes);
        atomic_fetch_sub(&pool->resident_bytes, (int64_t)region->page_bytes);
    }
    if (word & PAGE_ASIDE_SPILL)
        atomic_fetch_sub(&region->spill_pages, 1);
}

void region_forget_page(struct region *region, uint64_t lpn, uint64_t word)
{
    page_bitmap_clear(&region->dirty, lpn);
    if (page_state(word) == DIRTY)
        release_reservations(region, lpn, word);
    forget_aside(region, lpn, word);
    if (word & PAGE_OUT) {
        atomic_fetch_sub(&region->spill_pages, 1);
    } else if (page_state(word) == DIRTY || page_state(word) == FROZEN) {
        atomic_fetch_sub(&region->pool->dirty_bytes, (int64_t)region->page_bytes);
        atomic_fetch_sub(&region->dirty_in_memory, 1);
    }
}

void region_drop_page(struct region *region, uint64_t lpn, struct page_batch *batch)
{
    uint64_t word;
    if (!page_try_lock(&region->words[lpn], &word)) {
        /* The batch's locks go first: a holder of page locks must not wait for another. */
        batch_drop(batch);
        word = page_lock(&region->words[lpn]);
    }
    /* The overlay first: a refault must read what was committed. */
    atomic_store(&region->overlay[lpn], 0);
    page_bitmap_clear(&region->stolen, lpn);
    page_bitmap_clear(&region->poisoned, lpn);
    region_forget_page(region, lpn, word);
    if (page_state(word) == EMPTY || word & PAGE_OUT) {
        page_unlock(&region->words[lpn], EMPTY | (word & PAGE_QUEUED));
        return;
    }
    batch_add(batch, region, lpn, EMPTY | (word & PAGE_QUEUED), EMPTY);
    if (batch->count == KVMDB_BATCH)
        batch_drop(batch);
}

/* Calls with every LPN in [from, to) that was ever in memory; stops at the first result that is not 0. */
static int for_each_touched(struct region *region, uint64_t from, uint64_t to,
    int (*visit)(struct region *, uint64_t, struct page_batch *), struct page_batch *batch)
{
    for (uint64_t lpn = from; lpn < to;) {
        uint64_t group_end = ((lpn >> KVMDB_GROUP_SHIFT) + 1) << KVMDB_GROUP_SHIFT;
        if (!atomic_load(&region->groups[lpn >> KVMDB_GROUP_SHIFT])) {
            lpn = group_end;
            continue;
        }
        for (; lpn < group_end && lpn < to; lpn++) {
            int r = visit(region, lpn, batch);
            if (r)
                return r;
        }
    }
    return 0;
}

static int refuse_pinned(struct region *region, uint64_t lpn, struct page_batch *batch)
{
    (void)batch;
    return page_is_pinned(atomic_load(&region->words[lpn])) ? -EBUSY : 0;
}

static int drop_visited(struct region *region, uint64_t lpn, struct page_batch *batch)
{
    region_drop_page(region, lpn, batch);
    return 0;
}

static void wait_for_faults(struct pool *pool)
{
    int64_t epoch = kvmdb_pool_epoch_advance(pool);
    while (!kvmdb_pool_epoch_passed(pool, epoch))
        usleep(50);
}

int kvmdb_region_resize(struct region *region, int64_t size_bytes)
{
    if (size_bytes < 0 || (uint64_t)size_bytes > region->reserve_bytes)
        return -ENOMEM;
    uint64_t to = (uint64_t)size_bytes >> region->page_shift;
    uint64_t from = atomic_load(&region->size_pages);
    if (to < from) {
        int r = for_each_touched(region, to, from, refuse_pinned, NULL);
        if (r)
            return r;
    }
    atomic_store(&region->size_pages, to);
    if (to > from) {
        kvmdb_region_unpoison(region); /* zeros that stood beyond the end are pages now */
    } else if (to < from) {
        /* Faults that saw the old size may be filling pages beyond the new one, as neighbours, too. */
        wait_for_faults(region->pool);
        struct page_batch batch;
        batch.count = 0;
        for_each_touched(region, to, from, drop_visited, &batch);
        batch_drop(&batch);
    }
    return 0;
}

int kvmdb_region_replace(struct region *region, int64_t size_bytes)
{
    if (size_bytes < 0 || (uint64_t)size_bytes > region->reserve_bytes)
        return -ENOMEM;
    uint64_t to = (uint64_t)size_bytes >> region->page_shift;
    uint64_t from = atomic_load(&region->size_pages);
    atomic_store(&region->size_pages, to);
    /*
     * A fault holds the locks of the pages that it fills, so that it and the drop below go one after the other. But one
     * that began with the old root may be the first in its group, which the walk would then leave out: wait for it.
     */
    wait_for_faults(region->pool);
    struct page_batch batch;
    batch.count = 0;
    for_each_touched(region, 0, to > from ? to : from, drop_visited, &batch);
    batch_drop(&batch);
    kvmdb_region_unpoison(region); /* zeros that stood beyond both ends */
    return 0;
}
