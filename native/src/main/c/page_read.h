/*
 * Reading by a call, past the page frames.
 *
 * Touching a page that is not in memory costs a signal, a frame, copying into it, and sooner or later its eviction: several times what
 * finding and decoding its block in the compressed tier does. Who reads by a call tells where to, so none of that is needed.
 * The page is decoded to there, or, if only a part of it is wanted, into a fault slot first; it stays EMPTY, and its block stays in the tier.
 *
 * What is asked for often belongs in a frame all the same. So a page that was passed is stamped as if it had been evicted
 * at that moment; when it comes back as soon as one that was evicted too early, it is brought in. So is whatever the tier
 * would not keep, and everything while there is room for frames.
 */
#ifndef KVMDB_PAGE_READ_H
#define KVMDB_PAGE_READ_H

#include "pool.h"

/*
 * Copies bytes of a region to memory that is of no region. 0; or -EIO with a page recorded as bad, as in a fault, -EINVAL beyond the end:
 * the destination is not to be used then.
 */
KVMDB_EXPORT int kvmdb_region_read(struct region *region, uint64_t offset, uint64_t bytes, uint8_t *destination);

#endif
