#define _GNU_SOURCE
#include "block_reader.h"
#include "block_codec.h"
#include "device_reader.h"
#include "layout.h"

#include <errno.h>
#include <string.h>

/* Tries again when the map names another block after a failure: the one that was read had been given up. */
#define LOOKUPS_MAX 64

#define PPN_NOT_TO_BE_HAD UINT64_MAX

static uint64_t map_lookup(const struct pool *pool, uint32_t root, uint64_t lpn)
{
    const _Atomic uint64_t *arena = (const _Atomic uint64_t *)pool->options.node_arena;
    uint64_t node = root;
    for (int level = MAP_HEIGHT - 1; level > 0 && node != 0; level--) {
        if (node >= pool->options.node_count)
            return PPN_NOT_TO_BE_HAD;
        uint64_t index = lpn >> MAP_FANOUT_BITS * level & (MAP_FANOUT - 1);
        uint64_t entry = atomic_load_explicit(&arena[node * MAP_FANOUT + index], memory_order_acquire);
        if (entry != 0 && !(entry & 1))
            return PPN_NOT_TO_BE_HAD;
        node = entry >> 1;
    }
    if (node == 0)
        return 0;
    return atomic_load_explicit(&arena[node * MAP_FANOUT + (lpn & (MAP_FANOUT - 1))], memory_order_acquire);
}

/* Where the block of that name lies: what a snapshot refers to keeps its name when it is moved. */
static uint64_t resolve(const struct pool *pool, uint64_t name)
{
    if (name == 0 || ppn_segment(name) >= pool->options.segment_count)
        return name;
    struct segment_entry *segment = (struct segment_entry *)pool->options.segment_table + ppn_segment(name);
    struct remap_table *table = (struct remap_table *)atomic_load_explicit(&segment->remaps, memory_order_acquire);
    if (!table)
        return name;
    uint64_t low = 0;
    for (uint64_t high = table->count; low < high;) {
        uint64_t middle = (low + high) / 2;
        if (table->entries[middle].name < name)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == table->count || table->entries[low].name != name)
        return name;
    uint64_t target = atomic_load_explicit(&table->entries[low].target, memory_order_acquire);
    return target ? target : name;
}

/* Overlay before map: an entry leaves the overlay only after the map has the block (docs/architecture.md, rule 4). */
static uint64_t lookup(struct region *region, uint64_t lpn)
{
    uint64_t stolen = atomic_load_explicit(&region->overlay[lpn], memory_order_acquire);
    return stolen ? stolen : resolve(region->pool, map_lookup(region->pool, atomic_load(&region->map_root), lpn));
}

uint32_t block_length(struct region *region, uint64_t lpn)
{
    return ppn_length_bytes(lookup(region, lpn));
}

static bool fails(struct bad_page *bad, enum kvmdb_bad_cause cause, int detail)
{
    bad->cause = cause;
    bad->detail = detail;
    return false;
}

static bool place_of(const struct pool *pool, uint64_t ppn, struct block_place *out)
{
    if (ppn_segment(ppn) >= pool->options.segment_count)
        return false;
    const struct segment_entry *segment = (struct segment_entry *)pool->options.segment_table + ppn_segment(ppn);
    *out = (struct block_place){(uint32_t)segment->device_index, ppn_length_bytes(ppn), segment->device_offset + ppn_offset_bytes(ppn)};
    return segment->device_index < KVMDB_DEVICES_MAX && pool->devices[segment->device_index].fd >= 0;
}

static bool read_blocks(struct pool *pool, struct fault_slot *slot, uint64_t ppn, uint32_t bytes, bool past_cache, struct bad_page *bad)
{
    struct block_place place;
    if (!place_of(pool, ppn, &place))
        return fails(bad, KVMDB_BAD_MAP, 0);
    int r = device_read(pool, &pool->devices[place.device], slot, bytes, place.position, past_cache);
    if (r)
        return fails(bad, r == -ETIMEDOUT ? KVMDB_BAD_DEADLINE : KVMDB_BAD_READ, -r);
    return true;
}

/* What the block of a page is sealed with at a place. */
static struct block_seed seal_of(const struct region *region, uint64_t ppn, uint64_t lpn)
{
    const struct segment_entry *segment = (struct segment_entry *)region->pool->options.segment_table + ppn_segment(ppn);
    return (struct block_seed){segment->salt, segment->generation, ppn, lpn, region->family};
}

bool block_to_read(struct region *region, uint64_t lpn, struct block_place *out)
{
    uint64_t ppn = lookup(region, lpn);
    if (ppn == 0 || ppn_length_bytes(ppn) == 0 || !place_of(region->pool, ppn, out))
        return false;
    struct block_seed seal = seal_of(region, ppn, lpn);
    return !tier_has(region->pool, &seal);
}

static bool decode(struct region *region, const uint8_t *block, uint64_t ppn, uint64_t lpn, uint8_t *page, bool keep,
    struct bad_page *bad)
{
    struct block_seed seed = seal_of(region, ppn, lpn);
    enum block_verdict verdict = block_decode(
        block, &seed, BLOCK_TYPE_PAGE, (uint8_t)region->page_shift, pool_dictionary(region->pool), page);
    if (verdict != BLOCK_GOOD)
        return fails(bad, verdict == BLOCK_BAD_CHECKSUM ? KVMDB_BAD_CHECKSUM : KVMDB_BAD_CONTENT, 0);
    struct block_header header;
    memcpy(&header, block, sizeof header);
    if (keep && header.codec != BLOCK_CODEC_RAW) /* a raw one would have no more room there than in a frame */
        tier_add(region->pool, &seed, header.codec, block + sizeof header, header.payload_bytes);
    return true;
}

/* How many of the pages from lpn on have blocks that follow one another in the log, and their bytes. */
static uint32_t adjacent_blocks(struct region *region, uint64_t lpn, uint32_t pages, uint64_t *ppns, uint32_t *bytes)
{
    uint32_t n = 1;
    *bytes = ppn_length_bytes(ppns[0]);
    uint64_t end = (uint64_t)ppn_offset_bytes(ppns[0]) + *bytes;
    for (; n < pages; n++) {
        uint64_t next = lookup(region, lpn + n);
        uint32_t length = ppn_length_bytes(next);
        if (next == 0 || length == 0 || next == PPN_NOT_TO_BE_HAD || ppn_segment(next) != ppn_segment(ppns[0])
            || ppn_offset_bytes(next) != end || *bytes + length > KVMDB_SLOT_BLOCKS_BYTES - 4096)
            break;
        ppns[n] = next;
        *bytes += length;
        end += length;
    }
    return n;
}

/* Whether a stream's reader has them, or the first of them, already; then they are pinned. Returns how many. */
static uint32_t staged_blocks(struct pool *pool, struct fault_slot *slot, const uint64_t *ppns, uint32_t n)
{
    struct block_place place;
    if (pool->stage_count == 0 || !place_of(pool, ppns[0], &place)
        || !stage_find(pool, place.device, place.position, place.bytes, &slot->staged))
        return 0;
    slot->wanted = slot->staged.bytes;
    uint32_t have = 1, bytes = place.bytes;
    while (have < n && bytes + ppn_length_bytes(ppns[have]) <= slot->staged.length)
        bytes += ppn_length_bytes(ppns[have++]);
    stage_use(&slot->staged, bytes);
    return have;
}

/* Takes pages from the compressed tier, as far as they are there. */
static uint32_t tier_run(struct region *region, uint64_t lpn, uint32_t pages, uint64_t ppn, uint8_t *to)
{
    struct pool *pool = region->pool;
    const struct compression_dictionary *dictionary = pool_dictionary(pool);
    uint32_t n = 0;
    for (; n < pages; n++) {
        if (n > 0)
            ppn = lookup(region, lpn + n);
        if (ppn == 0 || ppn_segment(ppn) >= pool->options.segment_count)
            break;
        struct block_seed seal = seal_of(region, ppn, lpn + n);
        struct tier_hit hit;
        if (!tier_find(pool, &seal, &hit))
            break;
        uint8_t *page = to + ((size_t)n << region->page_shift);
        bool good = payload_decode(hit.codec, dictionary, hit.payload, hit.bytes, page, region->page_bytes);
        tier_release(pool, &hit);
        if (!good)
            break;
    }
    COUNT(pool, tier_hits, n);
    return n;
}

static uint32_t hole_run(struct region *region, uint64_t lpn, uint32_t pages, uint8_t *to)
{
    uint32_t n = 1;
    while (n < pages && lookup(region, lpn + n) == 0)
        n++;
    memset(to, 0, (size_t)n << region->page_shift);
    return n;
}

/* A second look is at the device itself: neither at what has been read ahead of it nor, where there is a way past it, at the page cache. */
static uint32_t read_once(struct region *region, struct fault_slot *slot, uint64_t lpn, uint32_t pages, uint8_t *to,
    bool again, struct bad_page *bad)
{
    uint64_t ppns[KVMDB_RUN_BYTES / KVMDB_PAGE_BYTES];
    ppns[0] = bad->ppn = lookup(region, lpn);
    slot->was_read = false;
    if (ppns[0] == 0)
        return hole_run(region, lpn, pages, to);
    if (ppns[0] == PPN_NOT_TO_BE_HAD || ppn_length_bytes(ppns[0]) > KVMDB_SLOT_BLOCKS_BYTES - 4096
        || ppn_length_bytes(ppns[0]) < sizeof(struct block_header)) {
        fails(bad, KVMDB_BAD_MAP, 0);
        return 0;
    }
    bool tiered = tier_is_active(&region->pool->tier);
    uint32_t n = tiered ? tier_run(region, lpn, pages, ppns[0], to) : 0;
    if (n)
        return n;
    slot->was_read = true;
    uint32_t bytes;
    n = adjacent_blocks(region, lpn, pages, ppns, &bytes);
    uint32_t staged = again ? 0 : staged_blocks(region->pool, slot, ppns, n);
    if (staged)
        n = staged;
    else if (!read_blocks(region->pool, slot, ppns[0], bytes, again, bad)) {
        /* Perhaps the fault of a neighbour: the page that was asked for gets a read of its own. */
        if (n == 1 || !read_blocks(region->pool, slot, ppns[0], ppn_length_bytes(ppns[0]), again, bad))
            return 0;
        n = 1;
    }
    const uint8_t *block = slot->wanted;
    uint32_t good = 0;
    for (; good < n; good++) {
        struct bad_page neighbour;
        uint8_t *page = to + ((size_t)good << region->page_shift);
        if (!decode(region, block, ppns[good], lpn + good, page, !staged, good == 0 ? bad : &neighbour))
            break;
        block += ppn_length_bytes(ppns[good]);
    }
    if (tiered)
        COUNT(region->pool, tier_misses, good);
    return good;
}

/* What was read is not what the map means; reading it failed neither late nor loudly. */
static bool is_wrong(const struct bad_page *bad)
{
    return bad->cause == KVMDB_BAD_CHECKSUM || bad->cause == KVMDB_BAD_CONTENT;
}

uint32_t block_read_run(struct region *region, struct fault_slot *slot, uint64_t lpn, uint32_t pages, uint8_t *to,
    struct bad_page *bad)
{
    bool was_wrong = false;
    for (int i = 0;; i++) {
        uint32_t n = read_once(region, slot, lpn, was_wrong ? 1 : pages, to, was_wrong, bad);
        stage_release(&slot->staged);
        if (n > 0 || i == LOOKUPS_MAX)
            return n;
        if (lookup(region, lpn) != bad->ppn)
            continue;
        if (was_wrong || !is_wrong(bad))
            return 0;
        was_wrong = true; /* perhaps on its way alone, or in the page cache: read again, once */
    }
}
