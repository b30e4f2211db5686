/*
 * Residency: the queues that choose what goes, eviction in batches, spilling of dirty pages as the last resort.
 *
 * No access bit is visible to user space, so the policy needs none. It is S3-FIFO in shape: a page that comes in is
 * queued in "small", which is held to a tenth of the pages, and leaves unless it was used (written) meanwhile; a page
 * that faults again within a quarter as many evictions as pages are kept was dropped too early and is queued in "main".
 * The ghost queue is a stamp in the word of the evicted page. A scan thus passes through "small" and leaves "main" alone.
 */
#ifndef KVMDB_PAGE_EVICT_H
#define KVMDB_PAGE_EVICT_H

#include "pool.h"

#include <sys/uio.h>

/* Pages of one region that are locked and about to be dropped together. */
struct page_batch {
    int count;
    struct {
        struct region *region;
        uint64_t lpn;
        uint64_t word; /* to publish when the page is dropped */
        uint64_t kept; /* to publish when it cannot be dropped; EMPTY: what it holds must not be seen any more */
    } pages[KVMDB_BATCH];
    struct iovec ranges[KVMDB_BATCH];
};

/* Adds a page whose lock is held; its word is published when the batch is dropped. */
void batch_add(struct page_batch *batch, struct region *region, uint64_t lpn, uint64_t word, uint64_t kept);
/*
 * Zaps the pages of the batch, publishes their words, subtracts them from the resident bytes. Returns how many are gone.
 * A page that the kernel does not drop stays as it was when its content is right; else it is recorded as bad and becomes
 * zeros, POISONED: nothing is committed after that.
 */
int batch_drop(struct page_batch *batch);

/* Queues a page that has become clean; returns its word with QUEUED (and HOT when it came back soon). */
uint64_t queue_page(struct region *region, uint64_t lpn, uint64_t word);

/* How many pages were evicted since the one of that word was, if it was: else UINT32_MAX. */
uint32_t evictions_since(const struct pool *pool, uint64_t word);
/* Whether that was too early: it is to stay longer this time. */
bool came_back_soon(const struct pool *pool, uint64_t word);
/* The stamp of a page that is evicted now, or passed by (page_read.h). */
uint32_t next_eviction_stamp(struct pool *pool);

/* Makes room for bytes within the budget: evicts, then spills. Holds no page lock when it is called. */
void make_room(struct pool *pool, int64_t bytes);
/* Makes room for bytes that nobody waits for: evicts, but spills nothing. False when there is none. */
bool has_room_ahead(struct pool *pool, int64_t bytes);
/* Spills when dirty pages have reached their limit. */
void make_room_for_dirty(struct pool *pool);
void pressure_raise(struct pool *pool, uint32_t bits);

/* Beyond the high-water mark, evicts in batches until the low one; moves the share of the tier if it is time to. Returns the
 * pages evicted. */
KVMDB_EXPORT int64_t kvmdb_pool_evict(struct pool *pool);

#endif
