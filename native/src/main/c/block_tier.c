#define _GNU_SOURCE
#include "block_tier.h"
#include "futex_lock.h"
#include "kernel.h"
#include "native_memory.h"
#include "pool.h"

#include <errno.h>
#include <string.h>

#define UNIT_SHIFT 5 /* entries begin at multiples of 32 bytes */
#define UNIT_BYTES (1u << UNIT_SHIFT)
#define BUCKET_WORDS 8
#define CHUNKS_MIN 8 /* of a tier */
#define USES_MAX 3
#define NO_CHUNK UINT32_MAX

#define READY_MIN 3 /* chunks to be had when one is full */
#define DROPS_MAX 4 /* chunks of which one call may look at all entries */

/* Bytes of blocks for each word of the index and for each ghost: less than what they have on average. */
#define BYTES_PER_WORD 640
#define BYTES_PER_GHOST 2048

/* What stands before a payload in a chunk. Written once, but for uses. */
struct tier_entry {
    uint64_t salt;
    uint64_t ppn;
    uint64_t lpn;
    uint64_t family;
    uint32_t generation;
    uint16_t payload_bytes;
    _Atomic uint8_t uses; /* since it came to its queue, at most USES_MAX */
    uint8_t queue : 4;
    uint8_t codec : 4;
};
_Static_assert(sizeof(struct tier_entry) == 40, "tier entry");
_Static_assert(TIER_CHUNK_BYTES >> UNIT_SHIFT == 1u << 12, "a place in a chunk has 12 bits");

/*
 * A word of the index; 0: none.
 *
 *   63         37 36           13 12        1   0
 *  +-------------+---------------+-----------+---+
 *  |     tag     |     chunk     |   unit    | 1 |
 *  +-------------+---------------+-----------+---+
 */
#define TAG_SHIFT 37

static uint64_t index_word(uint64_t hash, uint32_t chunk, uint32_t offset)
{
    return hash >> TAG_SHIFT << TAG_SHIFT | (uint64_t)chunk << 13 | (uint64_t)(offset >> UNIT_SHIFT) << 1 | 1;
}

static uint32_t chunk_of(uint64_t word)
{
    return word >> 13 & 0xffffff;
}

static struct tier_entry *entry_of(const struct block_tier *tier, uint64_t word)
{
    uint64_t unit = word >> 1 & 0xfff;
    return (struct tier_entry *)(tier->arena + (uint64_t)chunk_of(word) * TIER_CHUNK_BYTES + (unit << UNIT_SHIFT));
}

static uint32_t entry_bytes(uint32_t payload_bytes)
{
    return ((uint32_t)sizeof(struct tier_entry) + payload_bytes + UNIT_BYTES - 1) & ~(UNIT_BYTES - 1);
}

static uint64_t hash_of(uint64_t ppn, uint64_t salt)
{
    uint64_t x = (ppn ^ salt) * 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93ull;
    return x ^ x >> 32;
}

static _Atomic uint64_t *bucket_of(const struct block_tier *tier, uint64_t hash)
{
    return &tier->index[((hash & UINT32_MAX) * tier->buckets >> 32) * BUCKET_WORDS];
}

/* ---- memory ---- */

static uint64_t power_of_two(uint64_t at_least)
{
    uint64_t n = 1;
    while (n < at_least)
        n <<= 1;
    return n;
}

static uint64_t page_aligned(uint64_t bytes)
{
    return (bytes + 4095) & ~4095ull;
}

int tier_open(struct pool *pool, uint64_t bytes)
{
    struct block_tier *tier = &pool->tier;
    uint64_t buckets = bytes / BYTES_PER_WORD / BUCKET_WORDS + 1;
    uint64_t ghosts = power_of_two(bytes / BYTES_PER_GHOST);
    uint64_t chunks = bytes / TIER_CHUNK_BYTES;
    uint64_t index_bytes = page_aligned(buckets * BUCKET_WORDS * sizeof *tier->index);
    uint64_t ghost_bytes = page_aligned(ghosts * sizeof *tier->ghosts);
    tier->tables_bytes = index_bytes + ghost_bytes + page_aligned(chunks * sizeof *tier->chunks);
    if (bytes < tier->tables_bytes + CHUNKS_MIN * TIER_CHUNK_BYTES)
        return 0;
    if (chunks >= 1u << 24) /* an index word has 24 bits for it: 2 TiB */
        return -EFBIG;
    chunks = (bytes - tier->tables_bytes) / TIER_CHUNK_BYTES;
    tier->memory_bytes = tier->tables_bytes + chunks * TIER_CHUNK_BYTES;
    int64_t memory = kvmdb_memory_reserve(tier->memory_bytes);
    if (memory < 0 && memory > -4096)
        return (int)memory;
    tier->memory = (void *)memory;
    tier->index = tier->memory;
    tier->ghosts = (void *)((uint8_t *)tier->memory + index_bytes);
    tier->chunks = (void *)((uint8_t *)tier->memory + index_bytes + ghost_bytes);
    tier->arena = (uint8_t *)tier->memory + tier->tables_bytes;
    tier->buckets = buckets;
    tier->ghost_mask = ghosts - 1;
    tier->chunks_max = tier->chunks_allowed = (uint32_t)chunks;
    tier->stripe_count = tier->chunks_max < 16 * TIER_STRIPES_MAX ? (tier->chunks_max + 15) / 16 : TIER_STRIPES_MAX;
    for (int i = 0; i < TIER_QUEUES; i++)
        tier->queues[i] = (struct tier_list){NO_CHUNK, NO_CHUNK, 0};
    tier->dropped = tier->absent = tier->queues[0];
    for (int i = 0; i < TIER_STRIPES_MAX; i++) {
        for (int queue = 0; queue < TIER_QUEUES; queue++)
            tier->stripes[i].open[queue] = NO_CHUNK;
    }
    return 0;
}

void tier_close(struct pool *pool)
{
    if (pool->tier.memory)
        kvmdb_memory_release(pool->tier.memory, pool->tier.memory_bytes);
}

static void count_memory(struct pool *pool, int64_t bytes)
{
    atomic_fetch_add(&pool->tier.bytes, bytes);
    atomic_fetch_add(&pool->resident_bytes, bytes);
    pool_set_limits(pool);
}

/* ---- lists of chunks; under the tier's lock ---- */

static void list_put(struct block_tier *tier, struct tier_list *list, uint32_t chunk)
{
    tier->chunks[chunk].next = NO_CHUNK;
    if (list->count++ == 0)
        list->first = chunk;
    else
        tier->chunks[list->last].next = chunk;
    list->last = chunk;
}

/* The list is not empty. */
static uint32_t list_take(struct block_tier *tier, struct tier_list *list)
{
    uint32_t chunk = list->first;
    list->first = tier->chunks[chunk].next;
    list->count--;
    return chunk;
}

/* A dropped chunk that nobody reads any more. */
static uint32_t take_dropped(struct block_tier *tier)
{
    for (uint32_t i = tier->dropped.count; i > 0; i--) {
        uint32_t chunk = list_take(tier, &tier->dropped);
        if (atomic_load(&tier->chunks[chunk].pins) == 0)
            return chunk;
        list_put(tier, &tier->dropped, chunk);
    }
    return NO_CHUNK;
}

static uint32_t chunks_in_memory(const struct block_tier *tier)
{
    return tier->chunks_touched - tier->absent.count;
}

/* Those that it may have besides. */
static uint32_t absent_chunks(const struct block_tier *tier)
{
    uint32_t allowed = atomic_load_explicit(&tier->chunks_allowed, memory_order_relaxed);
    return allowed > chunks_in_memory(tier) ? allowed - chunks_in_memory(tier) : 0;
}

/* A chunk that has no memory yet, if the budget has room for it, tables included, as long as they are not counted. */
static uint32_t take_absent(struct pool *pool)
{
    struct block_tier *tier = &pool->tier;
    int64_t more = TIER_CHUNK_BYTES + (atomic_load(&tier->bytes) ? 0 : (int64_t)tier->tables_bytes);
    if (absent_chunks(tier) == 0) {
        atomic_store(&tier->wanted_bytes, 0);
        return NO_CHUNK;
    }
    bool has_room = atomic_load(&pool->resident_bytes) + more <= (int64_t)pool->options.budget_bytes;
    atomic_store(&tier->wanted_bytes, has_room ? 0 : more);
    if (!has_room)
        return NO_CHUNK;
    count_memory(pool, more);
    atomic_store(&tier->active, true);
    return tier->absent.count ? list_take(tier, &tier->absent) : tier->chunks_touched++;
}

static uint32_t take_chunk(struct pool *pool)
{
    uint32_t chunk = take_dropped(&pool->tier);
    return chunk == NO_CHUNK ? take_absent(pool) : chunk;
}

/* ---- entries ---- */

/* Puts a word for a new entry into its bucket, if need be in the place of another, which is then found no more. */
static void publish(struct pool *pool, uint64_t hash, uint64_t word)
{
    _Atomic uint64_t *bucket = bucket_of(&pool->tier, hash);
    for (int i = 0; i < BUCKET_WORDS; i++) {
        uint64_t none = 0;
        if (atomic_load_explicit(&bucket[i], memory_order_relaxed) == 0
            && atomic_compare_exchange_strong(&bucket[i], &none, word))
            return;
    }
    if (atomic_exchange(&bucket[hash >> 61], word) != 0)
        COUNT(pool, tier_drops, 1);
}

/* Exchanges the word of an entry. False when it is not in the index any more. */
static bool republish(struct block_tier *tier, uint64_t hash, uint64_t from, uint64_t to)
{
    _Atomic uint64_t *bucket = bucket_of(tier, hash);
    for (int i = 0; i < BUCKET_WORDS; i++) {
        uint64_t seen = from;
        if (atomic_load_explicit(&bucket[i], memory_order_relaxed) == from
            && atomic_compare_exchange_strong(&bucket[i], &seen, to))
            return true;
    }
    return false;
}

/* Whether it was dropped a short while ago without having been asked for. It is no ghost any more. */
static bool take_ghost(struct block_tier *tier, uint64_t hash)
{
    _Atomic uint32_t *ghost = &tier->ghosts[(hash >> 8) & tier->ghost_mask];
    uint32_t print = (uint32_t)(hash >> 32) | 1;
    if (atomic_load_explicit(ghost, memory_order_relaxed) != print)
        return false;
    atomic_store_explicit(ghost, 0, memory_order_relaxed);
    return true;
}

static void leave_ghost(struct block_tier *tier, uint64_t hash)
{
    atomic_store_explicit(&tier->ghosts[(hash >> 8) & tier->ghost_mask], (uint32_t)(hash >> 32) | 1, memory_order_relaxed);
}

/* Room for an entry in a stripe's open chunk of the queue, which is locked; NULL when there is none. */
static struct tier_entry *place_in(struct block_tier *tier, uint32_t chunk, uint32_t bytes, uint32_t *offset)
{
    if (chunk == NO_CHUNK || tier->chunks[chunk].used_bytes + bytes > TIER_CHUNK_BYTES)
        return NULL;
    *offset = tier->chunks[chunk].used_bytes;
    tier->chunks[chunk].used_bytes += bytes;
    return (struct tier_entry *)(tier->arena + (uint64_t)chunk * TIER_CHUNK_BYTES + *offset);
}

/* The stripe's open chunk of the queue is full: here is another. */
static void open_chunk(struct block_tier *tier, struct tier_stripe *stripe, int queue, uint32_t chunk)
{
    if (stripe->open[queue] != NO_CHUNK)
        list_put(tier, &tier->queues[queue], stripe->open[queue]);
    tier->chunks[chunk].used_bytes = 0;
    tier->chunks[chunk].place = tier->places[queue]++;
    stripe->open[queue] = chunk;
}

/* Moves an entry that is still wanted into the main queue; it is dropped if there is no room for it. */
static void keep(struct pool *pool, struct tier_stripe *stripe, const struct tier_entry *entry, uint64_t hash, uint64_t word)
{
    struct block_tier *tier = &pool->tier;
    uint32_t bytes = entry_bytes(entry->payload_bytes);
    uint32_t offset;
    struct tier_entry *copy = place_in(tier, stripe->open[TIER_MAIN], bytes, &offset);
    if (!copy) {
        uint32_t chunk = take_chunk(pool);
        if (chunk != NO_CHUNK) {
            open_chunk(tier, stripe, TIER_MAIN, chunk);
            copy = place_in(tier, chunk, bytes, &offset);
        }
    }
    if (!copy) {
        leave_ghost(tier, hash);
        if (republish(tier, hash, word, 0))
            COUNT(pool, tier_drops, 1);
        return;
    }
    uint8_t uses = atomic_load_explicit(&entry->uses, memory_order_relaxed);
    memcpy(copy, entry, sizeof *entry + entry->payload_bytes);
    copy->uses = entry->queue == TIER_MAIN ? (uint8_t)(uses - 1) : 0;
    copy->queue = TIER_MAIN;
    republish(tier, hash, word, index_word(hash, stripe->open[TIER_MAIN], offset));
}

/* Takes a chunk's entries out of the index, those that are still wanted to another chunk. Under the tier's lock and the stripe's. */
static void drop_chunk(struct pool *pool, struct tier_stripe *stripe, uint32_t chunk)
{
    struct block_tier *tier = &pool->tier;
    const uint8_t *begin = tier->arena + (uint64_t)chunk * TIER_CHUNK_BYTES;
    for (uint32_t offset = 0; offset < tier->chunks[chunk].used_bytes;) {
        const struct tier_entry *entry = (const struct tier_entry *)(begin + offset);
        uint64_t hash = hash_of(entry->ppn, entry->salt);
        uint64_t word = index_word(hash, chunk, offset);
        offset += entry_bytes(entry->payload_bytes);
        if (atomic_load_explicit(&entry->uses, memory_order_relaxed)) {
            keep(pool, stripe, entry, hash, word);
        } else if (republish(tier, hash, word, 0)) {
            if (entry->queue == TIER_SMALL)
                leave_ghost(tier, hash);
            COUNT(pool, tier_drops, 1);
        }
    }
    list_put(tier, &tier->dropped, chunk);
}

/* Marks what would not be there any more if the tier were a step smaller, and its queues shorter by their parts of that. */
static void mark_late(struct pool *pool, uint32_t in_queues)
{
    struct block_tier *tier = &pool->tier;
    uint64_t step = (uint64_t)share_step_bytes(pool) / TIER_CHUNK_BYTES;
    for (int i = 0; i < TIER_QUEUES; i++) {
        const struct tier_list *queue = &tier->queues[i];
        uint32_t late = (uint32_t)(queue->count * (step < in_queues ? step : in_queues) / in_queues);
        if (queue->count)
            atomic_store_explicit(&tier->late_places[i], tier->chunks[queue->first].place + late, memory_order_relaxed);
    }
}

static bool drop_oldest(struct pool *pool, struct tier_stripe *stripe)
{
    struct block_tier *tier = &pool->tier;
    const struct tier_list *queues = tier->queues;
    uint32_t in_queues = queues[TIER_SMALL].count + queues[TIER_MAIN].count;
    if (in_queues == 0)
        return false;
    mark_late(pool, in_queues);
    bool small = queues[TIER_MAIN].count == 0 || queues[TIER_SMALL].count > in_queues / 10;
    drop_chunk(pool, stripe, list_take(tier, &tier->queues[small ? TIER_SMALL : TIER_MAIN]));
    return true;
}

/* Keeps some chunks ready: dropping needs one for what it keeps, and one or the other may have pins. */
static void make_ready(struct pool *pool, struct tier_stripe *stripe, uint32_t absent)
{
    for (int i = 0; i < DROPS_MAX && pool->tier.dropped.count + absent < READY_MIN && drop_oldest(pool, stripe); i++)
        ;
}

/* A fresh chunk for the queue. False when there is none; the next call may find one. Under the stripe's lock. */
static bool renew_open_chunk(struct pool *pool, struct tier_stripe *stripe, int queue)
{
    struct block_tier *tier = &pool->tier;
    if (!futex_try_lock(&tier->lock))
        return false;
    bool was_refused = atomic_load(&tier->wanted_bytes) != 0;
    uint32_t chunk = take_chunk(pool);
    if (chunk != NO_CHUNK)
        open_chunk(tier, stripe, queue, chunk);
    /* Those without memory are ready unless the budget refused it twice. */
    make_ready(pool, stripe, chunk == NO_CHUNK && was_refused ? 0 : absent_chunks(tier));
    futex_unlock(&tier->lock);
    return chunk != NO_CHUNK;
}

/* ---- use ---- */

static bool is_sealed(const struct tier_entry *entry, const struct block_seed *seal)
{
    return entry->ppn == seal->ppn && entry->salt == seal->salt && entry->generation == seal->generation
        && entry->lpn == seal->lpn && entry->family == seal->family;
}

static bool is_late(const struct block_tier *tier, const struct tier_entry *entry, uint32_t chunk)
{
    uint32_t late = atomic_load_explicit(&tier->late_places[entry->queue], memory_order_relaxed);
    return (int32_t)(tier->chunks[chunk].place - late) < 0;
}

/* The entry of a block, its chunk pinned through hit; or NULL. */
static struct tier_entry *look_up(struct pool *pool, const struct block_seed *seal, struct tier_hit *hit)
{
    struct block_tier *tier = &pool->tier;
    uint64_t hash = hash_of(seal->ppn, seal->salt);
    _Atomic uint64_t *bucket = bucket_of(tier, hash);
    for (int i = 0; i < BUCKET_WORDS; i++) {
        uint64_t word = atomic_load(&bucket[i]);
        if (word == 0 || (word ^ hash) >> TAG_SHIFT != 0)
            continue;
        struct tier_entry *entry = entry_of(tier, word);
        *hit = (struct tier_hit){(const uint8_t *)(entry + 1), 0, chunk_of(word), 0};
        atomic_fetch_add(&tier->chunks[hit->chunk].pins, 1);
        if (atomic_load(&bucket[i]) == word && is_sealed(entry, seal))
            return entry;
        tier_release(pool, hit);
    }
    return NULL;
}

bool tier_find(struct pool *pool, const struct block_seed *seal, struct tier_hit *hit)
{
    struct tier_entry *entry = look_up(pool, seal, hit);
    if (!entry)
        return false;
    uint8_t uses = atomic_load_explicit(&entry->uses, memory_order_relaxed);
    if (uses == 0 && is_late(&pool->tier, entry, hit->chunk))
        share_late_hit(pool);
    if (uses < USES_MAX)
        atomic_store_explicit(&entry->uses, (uint8_t)(uses + 1), memory_order_relaxed);
    hit->bytes = entry->payload_bytes;
    hit->codec = entry->codec;
    return true;
}

bool tier_has(struct pool *pool, const struct block_seed *seal)
{
    struct tier_hit hit;
    if (!tier_is_active(&pool->tier) || !look_up(pool, seal, &hit))
        return false;
    tier_release(pool, &hit);
    return true;
}

void tier_release(struct pool *pool, const struct tier_hit *hit)
{
    atomic_fetch_sub(&pool->tier.chunks[hit->chunk].pins, 1);
}

/* The thread's own stripe, or another that is free; NULL when all are taken. */
static struct tier_stripe *stripe_take(struct block_tier *tier)
{
    uint32_t first = pool_thread_number();
    for (uint32_t i = 0; i < tier->stripe_count; i++) {
        struct tier_stripe *stripe = &tier->stripes[(first + i) % tier->stripe_count];
        if (futex_try_lock(&stripe->lock))
            return stripe;
    }
    return NULL;
}

void tier_add(struct pool *pool, const struct block_seed *seal, uint8_t codec, const uint8_t *payload, uint32_t bytes)
{
    struct block_tier *tier = &pool->tier;
    if (tier->chunks_max == 0 || (!atomic_load(&tier->active) && !pool_has_evicted(pool)))
        return;
    struct tier_stripe *stripe = stripe_take(tier);
    if (!stripe) {
        COUNT(pool, tier_declines, 1);
        return;
    }
    uint64_t hash = hash_of(seal->ppn, seal->salt);
    int queue = atomic_load(&tier->active) && take_ghost(tier, hash) ? TIER_MAIN : TIER_SMALL;
    uint32_t offset;
    struct tier_entry *entry = place_in(tier, stripe->open[queue], entry_bytes(bytes), &offset);
    if (!entry && renew_open_chunk(pool, stripe, queue))
        entry = place_in(tier, stripe->open[queue], entry_bytes(bytes), &offset);
    if (entry) {
        *entry = (struct tier_entry){.salt = seal->salt, .ppn = seal->ppn, .lpn = seal->lpn, .family = seal->family,
            .generation = (uint32_t)seal->generation, .payload_bytes = (uint16_t)bytes,
            .queue = (uint8_t)queue & 0xf, .codec = codec & 0xf};
        memcpy(entry + 1, payload, bytes);
        publish(pool, hash, index_word(hash, stripe->open[queue], offset));
        COUNT(pool, tier_adds, 1);
    } else {
        COUNT(pool, tier_declines, 1);
    }
    futex_unlock(&stripe->lock);
}

bool tier_yield(struct pool *pool)
{
    struct block_tier *tier = &pool->tier;
    struct tier_stripe *stripe = &tier->stripes[0];
    if (!atomic_load(&tier->active) || !futex_try_lock(&stripe->lock))
        return false;
    bool yielded = false;
    if (futex_try_lock(&tier->lock)) {
        make_ready(pool, stripe, 0);
        uint32_t chunk = take_dropped(tier);
        if (chunk != NO_CHUNK && kernel_zap_range(tier->arena + (uint64_t)chunk * TIER_CHUNK_BYTES, TIER_CHUNK_BYTES) == 0) {
            list_put(tier, &tier->absent, chunk);
            count_memory(pool, -(int64_t)TIER_CHUNK_BYTES);
            yielded = true;
        } else if (chunk != NO_CHUNK) {
            list_put(tier, &tier->dropped, chunk);
        }
        futex_unlock(&tier->lock);
    }
    futex_unlock(&stripe->lock);
    return yielded;
}

void tier_resize(struct pool *pool, int64_t bytes)
{
    struct block_tier *tier = &pool->tier;
    int64_t chunks = bytes / TIER_CHUNK_BYTES;
    if (chunks == 0)
        chunks = bytes < 0 ? -1 : 1;
    chunks += atomic_load(&tier->chunks_allowed);
    if (chunks < CHUNKS_MIN) /* a tier that has fewer was not opened */
        chunks = CHUNKS_MIN;
    if (chunks > tier->chunks_max)
        chunks = tier->chunks_max;
    atomic_store(&tier->chunks_allowed, (uint32_t)chunks);
}

bool tier_is_too_large(const struct block_tier *tier)
{
    int64_t has = atomic_load(&tier->bytes) - (int64_t)tier->tables_bytes;
    return has > (int64_t)atomic_load(&tier->chunks_allowed) * TIER_CHUNK_BYTES;
}
