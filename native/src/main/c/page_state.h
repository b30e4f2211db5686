/*
 * The state of a logical page: one 64-bit word each, in a sparse array indexed by LPN. The MMU says whether a page is
 * in memory; the word says what it means. A word changes only under its LOCK bit (but for WAITERS), so whoever holds
 * the lock sees a word that stands still.
 *
 *   63     32  31 30  29      28          27   12 11  10 9    8       7      6       5    4        3     2    0
 *  +----------+-----+-------+-----------+-------+------+----+-------+------+-------+----+--------+-----+-------+
 *  |  stamp   |  0  | COPIED| UNRESERVED| pins  | uses | HOT| QUEUED| ASIDE| ASIDE | OUT| WAITERS| LOCK| state |
 *  |          |     |       |           |       |      |    |       | SPILL| MEMORY|    |        |     |       |
 *  +----------+-----+-------+-----------+-------+------+----+-------+------+-------+----+--------+-----+-------+
 *
 *   stamp       EMPTY: when it was evicted, in evictions, 0 for never. DIRTY, FROZEN: the freeze that froze it last.
 *   pins        pins that keep it in memory
 *   uses        accesses seen since it was queued, at most 3
 *   OUT         dirty or frozen, and not in memory: the content is in the spill area
 *   ASIDE       the content that a freeze caught is in the shadow or in the spill area
 *   COPIED      FROZEN: the commit has taken its copy, so a write need not set one aside
 *   UNRESERVED  DIRTY: no space is reserved for it, so it must not be committed
 *
 *  State and what it means                          mapped      written by
 *   EMPTY    not in memory; the content is in the log   no       evict (page_evict.c), rollback, resize
 *   CLEAN    the content is in the log                  read     fill (page_fill.c), thaw (write_back.c)
 *   DIRTY    written since the last freeze              write    fill, the first write (page_faulter.c), thaw of a failed commit
 *   FROZEN   being written to the log                   read     freeze (write_back.c)
 *   POISONED could not be had; zeros are mapped         read     bad page (page_faulter.c)
 *
 *  EMPTY -> CLEAN -> DIRTY -> FROZEN -> CLEAN -> EMPTY is the round; EMPTY -> DIRTY a write to a missing page;
 *  FROZEN -> DIRTY + ASIDE a write that hits a frozen page; DIRTY <-> DIRTY + OUT a spill and the fault that undoes it;
 *  FROZEN + OUT -> FROZEN + ASIDE SPILL a read of a page that was spilled and then frozen. EMPTY + LOCK is what the
 *  design calls FILLING, CLEAN + LOCK in an eviction is EVICTING.
 */
#ifndef KVMDB_PAGE_STATE_H
#define KVMDB_PAGE_STATE_H

#include "futex_lock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum page_state { EMPTY, CLEAN, DIRTY, FROZEN, POISONED };

#define PAGE_STATE_MASK 7ull
#define PAGE_LOCK (1ull << 3)
#define PAGE_WAITERS (1ull << 4)
#define PAGE_OUT (1ull << 5)
#define PAGE_ASIDE_MEMORY (1ull << 6)
#define PAGE_ASIDE_SPILL (1ull << 7)
#define PAGE_ASIDE (PAGE_ASIDE_MEMORY | PAGE_ASIDE_SPILL)
#define PAGE_QUEUED (1ull << 8)
#define PAGE_HOT (1ull << 9)
#define PAGE_USE (1ull << 10)
#define PAGE_USES_MASK (3ull << 10)
#define PAGE_PIN (1ull << 12)
#define PAGE_PINS_MASK (0xffffull << 12)
#define PAGE_UNRESERVED (1ull << 28)
#define PAGE_COPIED (1ull << 29)
#define PAGE_STAMP_SHIFT 32

static inline enum page_state page_state(uint64_t word) { return (enum page_state)(word & PAGE_STATE_MASK); }
static inline uint32_t page_stamp(uint64_t word) { return (uint32_t)(word >> PAGE_STAMP_SHIFT); }
static inline bool page_is_pinned(uint64_t word) { return (word & PAGE_PINS_MASK) != 0; }

/* Has content that is in memory (and not zeros that stand for a bad page). */
static inline bool page_is_resident(uint64_t word)
{
    return page_state(word) != EMPTY && page_state(word) != POISONED && !(word & PAGE_OUT);
}

static inline uint64_t page_with_state(uint64_t word, enum page_state state)
{
    return (word & ~PAGE_STATE_MASK) | state;
}

static inline uint64_t page_with_stamp(uint64_t word, uint32_t stamp)
{
    return (word & 0xffffffffull) | (uint64_t)stamp << PAGE_STAMP_SHIFT;
}

static inline uint64_t page_with_use(uint64_t word)
{
    return (word & PAGE_USES_MASK) == PAGE_USES_MASK ? word : word + PAGE_USE;
}

/* Takes the page's lock if it is free. Returns the word (without LOCK) through out. */
static inline bool page_try_lock(_Atomic uint64_t *page, uint64_t *out)
{
    uint64_t word = atomic_load_explicit(page, memory_order_relaxed);
    while (!(word & PAGE_LOCK)) {
        if (atomic_compare_exchange_weak(page, &word, word | PAGE_LOCK)) {
            *out = word & ~PAGE_WAITERS;
            return true;
        }
    }
    return false;
}

/* Waits for the page's lock and takes it. A thread that holds one page's lock must only try for the locks of other
 * pages (docs/architecture.md, rule 3). */
static inline uint64_t page_lock(_Atomic uint64_t *page)
{
    uint64_t word;
    for (int spins = 0; !page_try_lock(page, &word);) {
        if (spins++ < KVMDB_SPINS) {
            __builtin_ia32_pause();
            continue;
        }
        word = atomic_load(page);
        if (!(word & PAGE_LOCK))
            continue;
        if (!(word & PAGE_WAITERS) && !atomic_compare_exchange_strong(page, &word, word | PAGE_WAITERS))
            continue;
        futex_wait((_Atomic uint32_t *)page, (uint32_t)(word | PAGE_WAITERS), NULL);
    }
    return word;
}

/* Publishes the word and releases the lock. */
static inline void page_unlock(_Atomic uint64_t *page, uint64_t word)
{
    uint64_t before = atomic_exchange(page, word & ~(PAGE_LOCK | PAGE_WAITERS));
    if (before & PAGE_WAITERS)
        futex_wake((_Atomic uint32_t *)page, INT32_MAX);
}

#endif
