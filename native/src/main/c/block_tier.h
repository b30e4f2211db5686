/*
 * The second tier of the cache: blocks as they lie in the log, compressed, in memory of the budget. A page that was
 * evicted and is touched again comes from here for the price of decoding it; two to four times as many pages fit as in
 * frames.
 *
 * What it holds was verified when it was read, and is trusted from then on as page frames are: memory is not checked again.
 * It is found by all that the seal of a block stands for (struct block_seed): a place in another life of its segment, another
 * page's block, another family's are not it.
 *
 *   index    buckets of 8 words of 8 bytes, a cache line each: where the entries of that hash lie
 *   chunks   128 KiB each: entries one behind the other, written once, dropped together
 *   ghosts   fingerprints of what was dropped without having been asked for
 *
 * The policy is that of S3-FIFO over chunks. A block begins in a small FIFO, a tenth of the tier; what was asked for by the
 * time its chunk leaves moves to the main one, the rest leaves a ghost; what comes back while its ghost is there begins in
 * the main one. What leaves the main one and was asked for since it came goes round again.
 *
 * Whoever looks something up takes no lock and copies nothing: it is decoded where it lies. Meanwhile its chunk is pinned:
 * counted first, then the index is looked at again. A chunk is taken out of the index first, then its pins are looked at;
 * it is written again when there are none. So either the reader sees that the entry has gone, or the writer sees the reader.
 * Who adds takes locks that it only tries; where one is taken, or no chunk is to be had, the block is not added. Nobody
 * waits, nothing is allocated.
 *
 * The memory is address space at first. It grows with what is added, and only once pages had to be evicted; so data that fit
 * into frames, and those that do not compress, have the whole budget for frames. How far it grows is found by what that saves:
 * tier_share.h.
 */
#ifndef KVMDB_BLOCK_TIER_H
#define KVMDB_BLOCK_TIER_H

#include "layout.h"

#include <stdbool.h>

struct pool;

#define TIER_CHUNK_BYTES (128u << 10)
#define TIER_STRIPES_MAX 8

/* Chunks in the order in which they came; links are numbers of chunks. */
struct tier_list {
    uint32_t first;
    uint32_t last;
    uint32_t count;
};

enum { TIER_SMALL, TIER_MAIN, TIER_QUEUES };

/* Chunks that are being filled, by the threads of a stripe. */
struct tier_stripe {
    _Atomic uint32_t lock;
    uint32_t open[TIER_QUEUES];
} __attribute__((aligned(128)));

struct tier_chunk {
    uint32_t next;
    uint32_t used_bytes;
    uint32_t place; /* in its queue, counted from the first that ever was in it */
    _Atomic uint32_t pins; /* lookups that have found something in it */
};

/* A block that was found: its payload and how that is compressed. */
struct tier_hit {
    const uint8_t *payload;
    uint32_t bytes;
    uint32_t chunk;
    uint8_t codec;
};

struct block_tier {
    _Atomic bool active; /* has memory */
    uint32_t chunks_max; /* 0: there is no tier */
    _Atomic uint32_t chunks_allowed; /* of them, for now: tier_share.h */
    uint32_t stripe_count;
    uint64_t buckets;
    uint64_t ghost_mask;
    uint8_t *arena;
    _Atomic uint64_t *index;
    _Atomic uint32_t *ghosts;
    struct tier_chunk *chunks;
    void *memory;
    uint64_t memory_bytes;
    uint64_t tables_bytes; /* index, ghosts and chunk heads */
    _Atomic int64_t bytes; /* counted in the pool's resident_bytes */
    _Atomic int64_t wanted_bytes; /* for which there was no room; eviction makes it */
    _Atomic uint32_t late_places[TIER_QUEUES]; /* chunks before these would have left a tier that is a step smaller */

    _Atomic uint32_t lock; /* of what follows; a stripe's comes before it */
    uint32_t chunks_touched; /* chunks from here on were never used */
    struct tier_list queues[TIER_QUEUES];
    uint32_t places[TIER_QUEUES]; /* of the next chunk */
    struct tier_list dropped; /* out of the index, to be written again when they have no pins */
    struct tier_list absent;  /* given back to the kernel */

    struct tier_stripe stripes[TIER_STRIPES_MAX];
};

/* Reserves address space for a tier of at most so many bytes; too few make none. 0 or -errno. */
int tier_open(struct pool *pool, uint64_t bytes);
void tier_close(struct pool *pool);

/* Whether there is anything to be found. */
static inline bool tier_is_active(const struct block_tier *tier)
{
    return atomic_load_explicit(&tier->active, memory_order_relaxed);
}

/* Looks a block up. What was found stays as it is until it is released. */
bool tier_find(struct pool *pool, const struct block_seed *seal, struct tier_hit *hit);
/* Whether it would be found; nobody has asked for it by that. */
bool tier_has(struct pool *pool, const struct block_seed *seal);
void tier_release(struct pool *pool, const struct tier_hit *hit);
/* Adds a payload that was verified. It may decline. */
void tier_add(struct pool *pool, const struct block_seed *seal, uint8_t codec, const uint8_t *payload, uint32_t bytes);
/* Gives memory back when pages need it. Returns whether there was any. */
bool tier_yield(struct pool *pool);
/* Allows it so much more, or less, than it was allowed. */
void tier_resize(struct pool *pool, int64_t bytes);
/* Whether it has more than it is allowed. */
bool tier_is_too_large(const struct block_tier *tier);

#endif
