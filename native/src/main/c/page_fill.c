#define _GNU_SOURCE
#include "page_fill.h"
#include "fault_latency.h"
#include "kernel.h"
#include "page_evict.h"
#include "page_faulter.h"
#include "path_reservation.h"
#include "space_account.h"
#include "spill_area.h"

#include <errno.h>

void account_states(struct region *region, uint64_t lpn)
{
    _Atomic uint8_t *group = &region->groups[lpn >> KVMDB_GROUP_SHIFT];
    if (!(atomic_load_explicit(group, memory_order_relaxed) & GROUP_STATES_COUNTED)
        && !(atomic_fetch_or(group, GROUP_STATES_COUNTED) & GROUP_STATES_COUNTED))
        atomic_fetch_add(&region->pool->resident_bytes, KVMDB_PAGE_BYTES);
}

void account_resident(struct region *region, uint64_t lpn)
{
    account_states(region, lpn);
    atomic_fetch_add(&region->pool->resident_bytes, (int64_t)region->page_bytes);
}

int reserve_for_page(struct region *region, uint64_t lpn)
{
    struct kvmdb_space_account *space = region->pool->space;
    int r = kvmdb_space_reserve(space, region->page_reservation_bytes);
    if (r)
        return r;
    if (atomic_load(&region->groups[lpn >> KVMDB_GROUP_SHIFT]) & GROUP_PATH_RESERVED)
        return 0;
    /* A whole path at first: how much of it others hold is known once it is counted. */
    r = kvmdb_space_reserve(space, KVMDB_PATH_RESERVATION_BYTES);
    if (r) {
        kvmdb_space_release(space, region->page_reservation_bytes);
        return r;
    }
    kvmdb_space_release(space, KVMDB_PATH_RESERVATION_BYTES - path_reservation_add(region, lpn));
    return 0;
}

uint64_t make_dirty(struct region *region, uint64_t lpn, uint64_t word)
{
    page_bitmap_set(&region->dirty, lpn);
    path_reservation_hold(region, lpn); /* another page's, seen when this one's space was reserved, may be frozen by now */
    if (page_state(word) != FROZEN) { /* a frozen page is counted already */
        atomic_fetch_add(&region->pool->dirty_bytes, (int64_t)region->page_bytes);
        atomic_fetch_add(&region->dirty_in_memory, 1);
    }
    return page_with_state(word, DIRTY);
}

void publish_mapped(struct region *region, uint64_t lpn, uint64_t word, bool dirty)
{
    account_resident(region, lpn);
    word = page_with_stamp(queue_page(region, lpn, word), 0) & ~PAGE_USES_MASK;
    page_unlock(&region->words[lpn], dirty ? make_dirty(region, lpn, word) : page_with_state(word, CLEAN));
}

int unprotect(struct region *region, uint64_t lpn, uint32_t part)
{
    uint64_t address = page_address(region, lpn);
    if (!region->parts)
        return kernel_write_protect(region->pool->uffd, address, region->page_bytes, false);
    if (part == ALL_PARTS) {
        atomic_store(&region->parts[lpn], UINT16_MAX);
        return kernel_write_protect(region->pool->uffd, address, region->page_bytes, false);
    }
    atomic_fetch_or(&region->parts[lpn], (uint16_t)(1u << part));
    return kernel_write_protect(region->pool->uffd, address + part * KVMDB_PAGE_BYTES, KVMDB_PAGE_BYTES, false);
}

/* Locks EMPTY pages behind a locked one, up to the first that is not EMPTY or not free. Returns how many in all. */
static uint32_t lock_run(struct region *region, uint64_t lpn, uint32_t pages, uint64_t *words)
{
    uint64_t left = atomic_load(&region->size_pages) - lpn;
    uint32_t n = 1;
    for (; n < pages && n < left; n++) {
        if (page_state(atomic_load_explicit(&region->words[lpn + n], memory_order_relaxed)) != EMPTY
            || !page_try_lock(&region->words[lpn + n], &words[n]))
            break;
        if (page_state(words[n]) != EMPTY) {
            page_unlock(&region->words[lpn + n], words[n]);
            break;
        }
    }
    return n;
}

static void unlock_run(struct region *region, uint64_t lpn, uint32_t from, uint32_t to, const uint64_t *words)
{
    for (uint32_t i = from; i < to; i++)
        page_unlock(&region->words[lpn + i], words[i]);
}

/*
 * Maps the slot's pages and publishes them. The first is mapped writable when for_write, and last: another thread may store
 * there at once, without a fault, so that from then on nothing may be taken back.
 */
static int map_run(struct region *region, uint64_t lpn, uint32_t pages, const uint64_t *words, const uint8_t *content,
    bool for_write, uint32_t part)
{
    int uffd = region->pool->uffd;
    uint64_t address = page_address(region, lpn);
    uint32_t first = for_write && !region->parts ? 1 : 0;
    int r = pages == first
        ? 0
        : kernel_copy(uffd, address + first * region->page_bytes, content + first * region->page_bytes,
            (uint64_t)(pages - first) * region->page_bytes, true);
    if (r == 0 && first)
        r = kernel_copy(uffd, address, content, region->page_bytes, false);
    if (r == 0 && for_write && region->parts)
        r = unprotect(region, lpn, part);
    if (r) {
        /* What was mapped must not stay behind the page states' back. */
        kernel_zap_range((void *)address, (size_t)pages << region->page_shift);
        if (region->parts)
            atomic_store(&region->parts[lpn], 0);
        return r;
    }
    for (uint32_t i = 0; i < pages; i++)
        publish_mapped(region, lpn + i, words[i], for_write && i == 0);
    return 0;
}

uint32_t fill_pages(struct region *region, uint64_t lpn, uint64_t word, uint32_t pages, bool for_write, uint32_t part,
    struct bad_page *bad)
{
    uint64_t words[KVMDB_RUN_BYTES / KVMDB_PAGE_BYTES];
    words[0] = word;
    /* The slot's epoch comes before the look at the region's size: see kvmdb_region_resize. */
    struct fault_slot *slot = slot_acquire(region->pool);
    if (!slot) {
        bad->cause = KVMDB_BAD_DEADLINE;
        return 0;
    }
    uint64_t begin = monotonic_ns();
    uint32_t read = 0;
    if (lpn >= atomic_load(&region->size_pages)) {
        bad->cause = KVMDB_BAD_BEYOND_END;
    } else {
        uint32_t locked = lock_run(region, lpn, pages, words);
        read = block_read_run(region, slot, lpn, locked, slot->pages, bad);
        unlock_run(region, lpn, read ? read : 1, locked, words);
    }
    int r = read ? map_run(region, lpn, read, words, slot->pages, for_write, part) : 0;
    if (r && read > 1) { /* perhaps only a neighbour cannot be mapped */
        unlock_run(region, lpn, 1, read, words);
        read = 1;
        r = map_run(region, lpn, read, words, slot->pages, for_write, part);
    }
    if (r) {
        *bad = (struct bad_page){KVMDB_BAD_KERNEL, -r, bad->ppn};
        read = 0;
    }
    bool was_read = slot->was_read;
    slot_release(region->pool, slot);
    COUNT(region->pool, filled_pages, read);
    if (read) {
        share_page_came(region, evictions_since(region->pool, word), was_read);
        latency_record(region->pool, KVMDB_FAULT_FILL, begin);
    }
    return read;
}

int unspill_page(struct region *region, uint64_t lpn, bool write_protected)
{
    struct fault_slot *slot = slot_acquire(region->pool);
    if (!slot)
        return -ETIMEDOUT;
    int r = spill_read_in_fault(region, lpn, slot);
    if (r == 0) {
        /* Of several parts none may be written before all are there: what is there in part is taken back. */
        r = kernel_copy(region->pool->uffd, page_address(region, lpn), slot->blocks, region->page_bytes,
            write_protected || region->parts);
        if (r)
            kernel_zap_range((void *)page_address(region, lpn), region->page_bytes);
    }
    slot_release(region->pool, slot);
    if (r)
        return r;
    if (region->parts)
        atomic_store(&region->parts[lpn], 0);
    account_resident(region, lpn);
    atomic_fetch_add(&region->pool->dirty_bytes, (int64_t)region->page_bytes);
    atomic_fetch_add(&region->dirty_in_memory, 1);
    COUNT(region->pool, unspilled_pages, 1);
    return 0;
}

/* Whether a page is there is asked without its lock; if it goes meanwhile, it is as if it had gone afterwards. */
static bool is_there(struct region *region, uint64_t lpn)
{
    return page_is_resident(atomic_load_explicit(&region->words[lpn], memory_order_relaxed));
}

static int load_range(struct region *region, uint64_t lpn, uint64_t pages, bool record)
{
    if (lpn + pages < lpn || lpn + pages > atomic_load(&region->size_pages))
        return -EINVAL;
    uint32_t run = KVMDB_RUN_BYTES >> region->page_shift;
    for (uint64_t end = lpn + pages; lpn < end;) {
        if (is_there(region, lpn)) {
            lpn++;
            continue;
        }
        uint64_t left = end - lpn;
        int r = bring_in(region, lpn, left < run ? (uint32_t)left : run, record);
        if (r)
            return r;
    }
    return 0;
}

int kvmdb_region_load(struct region *region, uint64_t lpn, uint64_t pages)
{
    return load_range(region, lpn, pages, true);
}

int kvmdb_region_prefetch(struct region *region, uint64_t lpn, uint64_t pages)
{
    return load_range(region, lpn, pages, false);
}

/* Pins one page that is in memory; -EAGAIN when it is not, -EBUSY when it has as many pins as it can have. */
static int pin_page(struct region *region, uint64_t lpn, bool for_write)
{
    uint64_t word = page_lock(&region->words[lpn]);
    int r = 0;
    if (!page_is_resident(word))
        r = page_state(word) == POISONED ? -EIO : -EAGAIN;
    else if ((word & PAGE_PINS_MASK) == PAGE_PINS_MASK)
        r = -EBUSY;
    else if (for_write)
        r = dirty_locked_page(region, lpn, &word, ALL_PARTS);
    if (r == 0)
        word += PAGE_PIN;
    page_unlock(&region->words[lpn], word);
    return r;
}

int kvmdb_region_pin(struct region *region, uint64_t lpn, uint64_t pages, int for_write)
{
    uint64_t pinned = 0;
    if (for_write && region->read_only)
        return -EROFS;
    while (pinned < pages) {
        int r = kvmdb_region_load(region, lpn + pinned, 1);
        if (r == 0)
            r = pin_page(region, lpn + pinned, for_write != 0);
        if (r == -EAGAIN)
            continue;
        if (r) {
            kvmdb_region_unpin(region, lpn, pinned);
            return r;
        }
        pinned++;
    }
    return 0;
}

int kvmdb_region_unpin(struct region *region, uint64_t lpn, uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t word = page_lock(&region->words[lpn + i]);
        page_unlock(&region->words[lpn + i], page_is_pinned(word) ? word - PAGE_PIN : word);
    }
    return 0;
}

static bool is_clean(uint64_t word)
{
    return page_state(word) == CLEAN;
}

int64_t kvmdb_region_expect_writes(struct region *region, uint64_t lpn, uint64_t pages)
{
    if (lpn + pages < lpn || lpn + pages > atomic_load(&region->size_pages))
        return -EINVAL;
    int r = region->read_only ? -EROFS : 0;
    int64_t missing = 0;
    for (uint64_t end = lpn + pages; lpn < end && r == 0; lpn++) {
        uint64_t peek = atomic_load_explicit(&region->words[lpn], memory_order_relaxed);
        missing += page_state(peek) == EMPTY;
        if (!is_clean(peek))
            continue;
        make_room_for_dirty(region->pool);
        uint64_t word = page_lock(&region->words[lpn]);
        if (is_clean(word))
            r = dirty_locked_page(region, lpn, &word, ALL_PARTS);
        page_unlock(&region->words[lpn], word);
    }
    return missing;
}
