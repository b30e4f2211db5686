/*
 * How the budget is divided between page frames and the compressed tier.
 *
 * Either would save something with a little more of it, a step. Frames: for each page that comes back before a step's worth
 * of others was evicted, a decompression, or the read of its block where the tier has not got that, either. The tier: for
 * each block that it has got only because it is not a step smaller, a read in place of a decompression. Both are seen as they
 * happen, by refaults: on a page by the stamp of its eviction, on a block by where it lies in its queue. Now and then the
 * share moves a fraction of a step to where a step saves more; hits on pages are seen by nobody, so that it is found by
 * moving, not reckoned.
 *
 * Where few pages are asked for much more than others are, that makes room for them in frames, where a hit costs nothing;
 * where all are asked for alike, the tier has all that it may have.
 */
#ifndef KVMDB_TIER_SHARE_H
#define KVMDB_TIER_SHARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pool;
struct region;

struct tier_share {
    _Atomic uint32_t frames_gain; /* since it was last looked at: what a step more of frames would have saved */
    _Atomic uint32_t tier_gain;   /* what a step less of the tier would have cost */
    _Atomic uint32_t looked_at;   /* the eviction clock then */
};

/* How much the division is tried with, of a budget. */
int64_t share_step_bytes(const struct pool *pool);
/* A page was filled that was evicted so many evictions ago, from the device or without it. */
void share_page_came(struct region *region, uint32_t evictions_ago, bool was_read);
/* A block was found among those that a smaller tier would not have. */
void share_late_hit(struct pool *pool);
/* Whether a step's worth of pages was evicted, or passed by, since the share was last looked at. */
bool share_is_due(const struct pool *pool);
/* Moves the share if it is time to, and has the tier give back what it has beyond it. Called while pages are evicted. */
void share_adapt(struct pool *pool);

#endif
