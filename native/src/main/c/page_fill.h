/* Bringing pages into memory: from the log, in runs where neighbours lie together, or back from the spill area. */
#ifndef KVMDB_PAGE_FILL_H
#define KVMDB_PAGE_FILL_H

#include "block_reader.h"

/* Counts, once a group, the state words that a page shares a page of memory with. */
void account_states(struct region *region, uint64_t lpn);
/* Counts a page that enters memory, and its state words. */
void account_resident(struct region *region, uint64_t lpn);
/* Makes a locked page that was EMPTY, and is mapped now, CLEAN or DIRTY, queues, counts and unlocks it. */
void publish_mapped(struct region *region, uint64_t lpn, uint64_t word, bool dirty);

/*
 * Fills an EMPTY page whose lock is held, and up to pages - 1 EMPTY ones behind it whose locks are free. The first
 * becomes CLEAN, or DIRTY when it is to be written (its space is reserved by then), and is unlocked, as are the others.
 * Returns the number filled, or 0 with the page still locked and the reason in bad.
 */
uint32_t fill_pages(struct region *region, uint64_t lpn, uint64_t word, uint32_t pages, bool for_write, uint32_t part,
    struct bad_page *bad);

/* Brings back a page that is OUT and locked. The word is to be published by the caller, without OUT. 0 or -errno. */
int unspill_page(struct region *region, uint64_t lpn, bool write_protected);

/* Marks a locked page dirty: bitmap and counters. Returns its new word. Space is reserved by the caller. */
uint64_t make_dirty(struct region *region, uint64_t lpn, uint64_t word);
/* Lets writes to one 4 KiB part of a page through, or, with ALL_PARTS, to the whole. 0 or -errno. */
#define ALL_PARTS UINT32_MAX
int unprotect(struct region *region, uint64_t lpn, uint32_t part);
/* Reserves what committing a page that is about to become dirty can take at worst. 0 or -ENOSPC. */
int reserve_for_page(struct region *region, uint64_t lpn);

/* Brings a range in. 0; or -EIO with the page recorded as bad; -EINVAL beyond the end. */
KVMDB_EXPORT int kvmdb_region_load(struct region *region, uint64_t lpn, uint64_t pages);
/* The same without recording anything; stops at the first failure. */
KVMDB_EXPORT int kvmdb_region_prefetch(struct region *region, uint64_t lpn, uint64_t pages);
/* Brings pages in and keeps them there; for writing they become dirty. On failure none stays pinned. */
KVMDB_EXPORT int kvmdb_region_pin(struct region *region, uint64_t lpn, uint64_t pages, int for_write);
KVMDB_EXPORT int kvmdb_region_unpin(struct region *region, uint64_t lpn, uint64_t pages);
/*
 * For who is about to write pages: those that are in memory and clean become dirty, as by a first write, but without a signal
 * for each. What it leaves out is left to the writes, errors, too. Returns how many are EMPTY, or -EINVAL beyond the end.
 */
KVMDB_EXPORT int64_t kvmdb_region_expect_writes(struct region *region, uint64_t lpn, uint64_t pages);

#endif
