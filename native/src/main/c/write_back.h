/*
 * The durable side's view of a region: freeze what is dirty, copy it out, thaw it; the overlay of stolen pages;
 * rollback. Called by Java in batches, one caller a region at a time (but for copy_out); faults go on meanwhile.
 */
#ifndef KVMDB_WRITE_BACK_H
#define KVMDB_WRITE_BACK_H

#include "pool.h"

enum { KVMDB_FREEZE_TO_STEAL = 1 }; /* leaves out pinned pages */

struct kvmdb_freeze {
    uint64_t flags;
    uint64_t cursor;               /* in and out: the LPN to go on from; UINT64_MAX when all were seen */
    uint64_t epoch;                /* in and out: 0 begins a freeze; names it afterwards */
    uint64_t page_reserved_bytes;  /* out: adds what is reserved for the frozen pages */
    uint64_t path_reserved_bytes;  /* out: adds what is reserved for their map nodes */
};

/* Freezes dirty pages in order of LPN: protects them, so that what is written from now on belongs to the next commit.
 * Returns how many LPNs were written, or -errno. */
KVMDB_EXPORT int64_t kvmdb_region_freeze(struct region *region, struct kvmdb_freeze *freeze, uint64_t *lpns, int64_t capacity);
/* Copies pages as they were frozen, one after the other. Threads may share the work. 0 or -errno. */
KVMDB_EXPORT int kvmdb_region_copy_out(struct region *region, int64_t epoch, const uint64_t *lpns, int64_t count, uint8_t *destination);
/* Ends a freeze: pages not written since become clean, or, when the commit failed, all are dirty again. */
KVMDB_EXPORT int kvmdb_region_thaw(struct region *region, int64_t epoch, const uint64_t *lpns, int64_t count, int to_dirty);
/* Gives the spill area back when nothing lies in it; no freeze is under way. */
KVMDB_EXPORT int kvmdb_region_trim_spill(struct region *region);

/* Points pages to blocks in the log that no commit has named yet. What they pointed to before is written over ppns. */
KVMDB_EXPORT int kvmdb_region_steal(struct region *region, const uint64_t *lpns, uint64_t *ppns, int64_t count);
/*
 * Pages that are written to the log without coming into memory. First those of a range that are not there are listed, and
 * space is reserved as for a first write to each: returns how many, or -ENOSPC with nothing reserved. Then their blocks are
 * appended, and the pages that still are not in memory point to them: as kvmdb_region_steal, but what the others have in
 * ppns stays there, and their bits in placed are 0.
 */
KVMDB_EXPORT int64_t kvmdb_region_reserve_missing(
    struct region *region, uint64_t lpn, int64_t count, uint64_t *lpns, struct kvmdb_freeze *reserved);
KVMDB_EXPORT int kvmdb_region_place(struct region *region, const uint64_t *lpns, uint64_t *ppns, int64_t count, uint64_t *placed);
/* Lists the overlay from an LPN on. Returns the count; fewer than capacity: that was all. */
KVMDB_EXPORT int64_t kvmdb_region_stolen(struct region *region, uint64_t lpn, uint64_t *lpns, uint64_t *ppns, int64_t capacity);
/* Takes entries out of the overlay that still are what was listed: the map has them now. */
KVMDB_EXPORT int kvmdb_region_unsteal(struct region *region, const uint64_t *lpns, const uint64_t *ppns, int64_t count);

/* Drops everything written since the last commit. -EBUSY when a page of it is pinned, with nothing changed. */
KVMDB_EXPORT int kvmdb_region_rollback(struct region *region);

#endif
