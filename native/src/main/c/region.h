/* A volume mapped into this process: its address space, page states, and sets of pages. */
#ifndef KVMDB_REGION_H
#define KVMDB_REGION_H

#include "page_evict.h"
#include "pool.h"

/* Maps a region. 0 and the handle, or -errno. Takes over the spill descriptor when it succeeds. */
KVMDB_EXPORT int kvmdb_region_open(struct pool *pool, const struct kvmdb_region_options *options, struct region **out);
/* Unmaps it. Nobody touches its memory any more; waits for the handlers that still do. */
KVMDB_EXPORT int kvmdb_region_close(struct region *region);
KVMDB_EXPORT int64_t kvmdb_region_base(struct region *region);
/* Another root of the map: the old root's nodes may be reused after the epoch. */
KVMDB_EXPORT int kvmdb_region_map_root(struct region *region, int64_t node);
/* Grows, or shrinks and drops what lies beyond. -EBUSY when a page beyond is pinned, -ENOMEM beyond the reservation. */
KVMDB_EXPORT int kvmdb_region_resize(struct region *region, int64_t size_bytes);
/*
 * Drops all pages, whatever their state, and takes another size: the region shows what its map root says, which was set
 * to another tree of the same family before. A page that somebody touches meanwhile shows the old content or the new
 * one; afterwards all show the new one. No page is pinned. -ENOMEM beyond the reservation, with nothing changed.
 */
KVMDB_EXPORT int kvmdb_region_replace(struct region *region, int64_t size_bytes);
KVMDB_EXPORT int64_t kvmdb_region_dirty_pages(struct region *region);

/* Takes what a locked page counts in the pool, the account and the spill area back, whatever its state, but for its
 * resident bytes. */
void region_forget_page(struct region *region, uint64_t lpn, uint64_t word);
/* Drops a page whatever its state, with its overlay entry and reservation. Waits for its lock. */
void region_drop_page(struct region *region, uint64_t lpn, struct page_batch *batch);

#endif
