#define _GNU_SOURCE
#include "write_back.h"
#include "frame_copy.h"
#include "kernel.h"
#include "page_evict.h"
#include "page_fill.h"
#include "path_reservation.h"
#include "region.h"
#include "spill_area.h"

#include <errno.h>
#include <string.h>

/* Pages that are write-protected in one call. More than 512 would delay other threads' write faults, and the list
 * lies on the stack. */
#define CHUNK_PAGES 128

/* ---- freeze ---- */

/* Dirty pages whose locks are held, in order of LPN. */
struct chunk {
    int count;
    uint64_t lpns[CHUNK_PAGES];
    uint64_t words[CHUNK_PAGES];
};

/* Locks the page if it is dirty and to be frozen. -EAGAIN: its lock is taken and others are held, so come back. */
static int take_for_freeze(struct region *region, struct chunk *chunk, uint64_t lpn, uint64_t flags)
{
    uint64_t word;
    if (chunk->count == 0)
        word = page_lock(&region->words[lpn]);
    else if (!page_try_lock(&region->words[lpn], &word))
        return -EAGAIN;
    bool leave = page_state(word) != DIRTY
        || (flags & KVMDB_FREEZE_TO_STEAL && (page_is_pinned(word) || word & (PAGE_UNRESERVED | PAGE_ASIDE)));
    if (leave) {
        if (page_state(word) != DIRTY)
            page_bitmap_clear(&region->dirty, lpn);
        page_unlock(&region->words[lpn], word);
        return 0;
    }
    chunk->lpns[chunk->count] = lpn;
    chunk->words[chunk->count++] = word;
    return 0;
}

/* Protects the chunk's pages, run by run. */
static int protect_chunk(struct region *region, const struct chunk *chunk)
{
    for (int i = 0; i < chunk->count;) {
        if (chunk->words[i] & PAGE_OUT) {
            i++;
            continue;
        }
        int first = i++;
        while (i < chunk->count && chunk->lpns[i] == chunk->lpns[i - 1] + 1 && !(chunk->words[i] & PAGE_OUT))
            i++;
        int r = kernel_write_protect(region->pool->uffd, page_address(region, chunk->lpns[first]),
            (uint64_t)(i - first) << region->page_shift, true);
        if (r)
            return r;
    }
    return 0;
}

/* The freeze is done with the group of that page. */
static void take_path(struct region *region, struct kvmdb_freeze *freeze, uint64_t lpn)
{
    if (path_reservation_take(region, lpn))
        freeze->path_reserved_bytes += (uint64_t)path_reservation_freeze(region);
    path_reservation_keep(region, lpn);
}

/* The last page that was frozen and whose group is not done with yet. */
#define NO_PAGE UINT64_MAX

static int freeze_chunk(struct region *region, struct chunk *chunk, struct kvmdb_freeze *freeze, uint64_t *last)
{
    int r = protect_chunk(region, chunk);
    for (int i = 0; i < chunk->count; i++) {
        uint64_t lpn = chunk->lpns[i];
        uint64_t word = chunk->words[i];
        if (region->parts && !(word & PAGE_OUT))
            atomic_store(&region->parts[lpn], 0);
        if (r == 0) {
            page_bitmap_clear(&region->dirty, lpn);
            if (!(word & PAGE_UNRESERVED))
                freeze->page_reserved_bytes += (uint64_t)region->page_reservation_bytes;
            if (*last != NO_PAGE && *last >> KVMDB_GROUP_SHIFT != lpn >> KVMDB_GROUP_SHIFT)
                take_path(region, freeze, *last);
            *last = lpn;
            word = page_with_stamp(page_with_state(word, FROZEN), (uint32_t)freeze->epoch) & ~PAGE_COPIED;
        }
        page_unlock(&region->words[lpn], word);
    }
    return r;
}

int64_t kvmdb_region_freeze(struct region *region, struct kvmdb_freeze *freeze, uint64_t *lpns, int64_t capacity)
{
    struct chunk chunk;
    chunk.count = 0;
    uint64_t last = NO_PAGE;
    if (freeze->epoch == 0) {
        freeze->epoch = atomic_fetch_add(&region->freeze_epoch, 1) + 1;
        region->frozen_groups = 0;
    }
    int64_t frozen = 0;
    int r = 0;
    while (frozen < capacity) {
        uint64_t lpn = page_bitmap_next_tidy(&region->dirty, freeze->cursor);
        r = lpn == PAGE_BITMAP_END ? -EAGAIN : take_for_freeze(region, &chunk, lpn, freeze->flags);
        if (r == 0)
            freeze->cursor = lpn + 1;
        if (r == -EAGAIN || chunk.count == CHUNK_PAGES || frozen + chunk.count == capacity) {
            r = freeze_chunk(region, &chunk, freeze, &last);
            if (r) {
                /* Those frozen before are the caller's to thaw; the error comes again when it goes on. */
                freeze->cursor = chunk.lpns[0];
                break;
            }
            memcpy(lpns + frozen, chunk.lpns, (size_t)chunk.count * sizeof *lpns);
            frozen += chunk.count;
            chunk.count = 0;
            if (lpn == PAGE_BITMAP_END) {
                freeze->cursor = PAGE_BITMAP_END;
                break;
            }
        }
    }
    if (last != NO_PAGE)
        take_path(region, freeze, last);
    return frozen ? frozen : r;
}

/* ---- copy out ---- */

/* Forgets the copy aside. A shadow page that is given up goes into ranges, to be dropped by the caller. */
static uint64_t drop_aside(struct region *region, uint64_t lpn, uint64_t word, struct iovec *ranges, int *count)
{
    if (word & PAGE_ASIDE_MEMORY)
        ranges[(*count)++] = (struct iovec){region->shadow + (lpn << region->page_shift), region->page_bytes};
    if (word & PAGE_ASIDE_SPILL)
        atomic_fetch_sub(&region->spill_pages, 1);
    return word & ~PAGE_ASIDE;
}

static void zap_shadows(struct region *region, const struct iovec *ranges, int count)
{
    if (count == 0)
        return;
    int dropped; /* what stays is written over by the next copy */
    kernel_zap(ranges, count, &dropped);
    int64_t bytes = (int64_t)count * region->page_bytes;
    atomic_fetch_sub(&region->pool->shadow_bytes, bytes);
    atomic_fetch_sub(&region->pool->resident_bytes, bytes);
}

/* The page is locked, so it cannot be written, evicted or spilled while it is copied. */
static int copy_frozen(struct region *region, uint64_t lpn, uint64_t word, uint8_t *destination)
{
    if (page_state(word) == DIRTY ? word & PAGE_ASIDE_SPILL : word & PAGE_OUT)
        return spill_read(region, lpn, destination);
    if (page_state(word) != DIRTY)
        return frame_copy(region, lpn, destination);
    memcpy(destination, region->shadow + (lpn << region->page_shift), region->page_bytes);
    return 0;
}

int kvmdb_region_copy_out(struct region *region, int64_t epoch, const uint64_t *lpns, int64_t count, uint8_t *destination)
{
    struct iovec shadows[KVMDB_BATCH];
    int shadow_count = 0;
    int r = 0;
    for (int64_t i = 0; i < count && r == 0; i++) {
        uint64_t word = page_lock(&region->words[lpns[i]]);
        bool frozen = page_state(word) == FROZEN && page_stamp(word) == (uint32_t)epoch;
        bool written_since = page_state(word) == DIRTY && page_stamp(word) == (uint32_t)epoch && word & PAGE_ASIDE;
        r = frozen || written_since ? copy_frozen(region, lpns[i], word, destination) : -ESTALE;
        /* Also of a page that was spilled, frozen and read: the next freeze must not take that for its own. */
        if (r == 0)
            word = drop_aside(region, lpns[i], word, shadows, &shadow_count);
        if (r == 0 && frozen)
            word |= PAGE_COPIED;
        page_unlock(&region->words[lpns[i]], word);
        destination += region->page_bytes;
        if (shadow_count == KVMDB_BATCH) {
            zap_shadows(region, shadows, shadow_count);
            shadow_count = 0;
        }
    }
    zap_shadows(region, shadows, shadow_count);
    return r;
}

/* ---- thaw ---- */

static void count_clean(struct region *region)
{
    atomic_fetch_sub(&region->pool->dirty_bytes, (int64_t)region->page_bytes);
    atomic_fetch_sub(&region->dirty_in_memory, 1);
}

static uint64_t thaw_clean(struct region *region, uint64_t lpn, uint64_t word)
{
    if (word & PAGE_OUT) {
        atomic_fetch_sub(&region->spill_pages, 1);
        return EMPTY | (word & PAGE_QUEUED);
    }
    count_clean(region);
    return queue_page(region, lpn, page_with_stamp(page_with_state(word, CLEAN), 0) & ~(PAGE_COPIED | PAGE_UNRESERVED));
}

/* What was frozen is dirty again; its reservation was kept. The path's is made anew. */
static uint64_t thaw_dirty(struct region *region, uint64_t lpn, uint64_t word)
{
    page_bitmap_set(&region->dirty, lpn);
    path_reservation_hold(region, lpn);
    return page_with_state(word, DIRTY) & ~PAGE_COPIED;
}

int kvmdb_region_thaw(struct region *region, int64_t epoch, const uint64_t *lpns, int64_t count, int to_dirty)
{
    struct iovec shadows[KVMDB_BATCH];
    int shadow_count = 0;
    for (int64_t i = 0; i < count; i++) {
        uint64_t lpn = lpns[i];
        uint64_t word = page_lock(&region->words[lpn]);
        bool frozen = page_state(word) == FROZEN && page_stamp(word) == (uint32_t)epoch;
        /* Not of a page that the next freeze has caught meanwhile: that copy is the next commit's. */
        if (page_stamp(word) == (uint32_t)epoch && (frozen || page_state(word) == DIRTY))
            word = drop_aside(region, lpn, word, shadows, &shadow_count);
        if (frozen)
            word = to_dirty ? thaw_dirty(region, lpn, word) : thaw_clean(region, lpn, word);
        else if (to_dirty) /* written since: it has a reservation for each of the two contents, and needs one */
            kvmdb_space_release(region->pool->space, region->page_reservation_bytes);
        page_unlock(&region->words[lpn], word);
        if (shadow_count == KVMDB_BATCH) {
            zap_shadows(region, shadows, shadow_count);
            shadow_count = 0;
        }
    }
    zap_shadows(region, shadows, shadow_count);
    return 0;
}

int kvmdb_region_trim_spill(struct region *region)
{
    int r = 0;
    futex_lock(&region->pool->evict_lock);
    if (region->spill_fd >= 0 && atomic_load(&region->spill_pages) == 0 && kvmdb_file_size(region->spill_fd) > 0)
        r = kvmdb_file_truncate(region->spill_fd, 0);
    futex_unlock(&region->pool->evict_lock);
    return r;
}

/* ---- the overlay ---- */

int kvmdb_region_steal(struct region *region, const uint64_t *lpns, uint64_t *ppns, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        ppns[i] = atomic_exchange(&region->overlay[lpns[i]], ppns[i]);
        page_bitmap_set(&region->stolen, lpns[i]);
    }
    return 0;
}

int64_t kvmdb_region_reserve_missing(
    struct region *region, uint64_t lpn, int64_t count, uint64_t *lpns, struct kvmdb_freeze *reserved)
{
    int64_t missing = 0;
    for (uint64_t end = lpn + (uint64_t)count, at = lpn; at < end; at++) {
        if (page_state(atomic_load_explicit(&region->words[at], memory_order_relaxed)) == EMPTY)
            lpns[missing++] = at;
    }
    int64_t page_bytes = missing * region->page_reservation_bytes;
    int64_t path_bytes = path_reservation_of_range(lpn, (uint64_t)count);
    int r = kvmdb_space_reserve(region->pool->space, page_bytes + path_bytes);
    if (r)
        return r;
    reserved->page_reserved_bytes = (uint64_t)page_bytes;
    reserved->path_reserved_bytes = (uint64_t)path_bytes;
    return missing;
}

int kvmdb_region_place(struct region *region, const uint64_t *lpns, uint64_t *ppns, int64_t count, uint64_t *placed)
{
    for (int64_t i = 0; i < count; i++) {
        uint64_t lpn = lpns[i];
        uint64_t word = page_lock(&region->words[lpn]);
        if (page_state(word) == EMPTY) {
            account_states(region, lpn); /* what is dropped later is looked for in groups that are counted */
            ppns[i] = atomic_exchange(&region->overlay[lpn], ppns[i]);
            page_bitmap_set(&region->stolen, lpn);
            placed[i / 64] |= 1ull << i % 64;
        }
        page_unlock(&region->words[lpn], word);
    }
    return 0;
}

int64_t kvmdb_region_stolen(struct region *region, uint64_t lpn, uint64_t *lpns, uint64_t *ppns, int64_t capacity)
{
    int64_t n = 0;
    for (; n < capacity && (lpn = page_bitmap_next_tidy(&region->stolen, lpn)) != PAGE_BITMAP_END; lpn++) {
        lpns[n] = lpn;
        ppns[n++] = atomic_load(&region->overlay[lpn]);
    }
    return n;
}

int kvmdb_region_unsteal(struct region *region, const uint64_t *lpns, const uint64_t *ppns, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        uint64_t listed = ppns[i];
        if (atomic_compare_exchange_strong(&region->overlay[lpns[i]], &listed, 0))
            page_bitmap_clear(&region->stolen, lpns[i]);
    }
    return 0;
}

/* ---- rollback ---- */

static bool any_pinned(struct region *region, struct page_bitmap *set)
{
    for (uint64_t lpn = 0; (lpn = page_bitmap_next_tidy(set, lpn)) != PAGE_BITMAP_END; lpn++) {
        if (page_is_pinned(atomic_load(&region->words[lpn])))
            return true;
    }
    return false;
}

static void drop_set(struct region *region, struct page_bitmap *set, struct page_batch *batch)
{
    for (uint64_t lpn = 0; (lpn = page_bitmap_next_tidy(set, lpn)) != PAGE_BITMAP_END; lpn++)
        region_drop_page(region, lpn, batch);
    batch_drop(batch);
}

int kvmdb_region_rollback(struct region *region)
{
    if (any_pinned(region, &region->dirty) || any_pinned(region, &region->stolen))
        return -EBUSY;
    struct page_batch batch;
    batch.count = 0;
    drop_set(region, &region->dirty, &batch);
    drop_set(region, &region->stolen, &batch);
    return 0;
}
