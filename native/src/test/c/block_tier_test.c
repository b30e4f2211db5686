/* The compressed tier: what it holds, what it must not find, what becomes of its memory, and threads upon it. */
#define _GNU_SOURCE
#include "block_tier.h"
#include "fake_store.h"
#include "tests.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TIER (4 * MIB)

static struct store *s;

/* As if a page had been evicted: before that the tier takes nothing. */
static void begin_tiered(int64_t budget)
{
    s = store_open_tiered(budget, TIER);
    s->pool->eviction_clock = 2;
}

static struct block_seed seal_number(uint64_t number)
{
    return (struct block_seed){.salt = 0x5a17 + number % 3, .generation = 1 + number % 5, .ppn = (number + 1) << 7,
        .lpn = number ^ 0x77, .family = number % 7};
}

static uint32_t length_of(uint64_t number)
{
    return 100 + (uint32_t)(number * 2654435761u >> 7) % 3000;
}

/* Content that says whose it is, in every word. */
static void payload_of(uint64_t number, uint8_t *payload)
{
    for (uint32_t i = 0; i < length_of(number); i++)
        payload[i] = (uint8_t)(number * 31 + i * 7 + (number >> 8) + (number >> 16));
}

static uint8_t codec_of(uint64_t number)
{
    return number % 3 ? BLOCK_CODEC_LZ4 : BLOCK_CODEC_LZ4_DICTIONARY;
}

static bool payload_is(uint64_t number, const uint8_t *found, uint32_t bytes)
{
    uint8_t expected[4096];
    payload_of(number, expected);
    return bytes == length_of(number) && memcmp(found, expected, bytes) == 0;
}

static void add(uint64_t number)
{
    uint8_t payload[4096];
    struct block_seed seal = seal_number(number);
    payload_of(number, payload);
    tier_add(s->pool, &seal, codec_of(number), payload, length_of(number));
}

static bool find(uint64_t number)
{
    struct block_seed seal = seal_number(number);
    struct tier_hit hit;
    if (!tier_find(s->pool, &seal, &hit))
        return false;
    CHECK(payload_is(number, hit.payload, hit.bytes));
    CHECK_EQUAL(hit.codec, codec_of(number));
    tier_release(s->pool, &hit);
    return true;
}

static void add_many(uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        add(i);
}

void what_was_evicted_comes_back_from_the_tier(void)
{
    for (uint32_t shift = 12; shift <= 16; shift++) {
        s = store_open_tiered(12 * MIB, TIER);
        struct volume *v = volume_open(s, 64 * MIB >> shift, shift);
        volume_populate(v, 0, v->pages);
        uint64_t seed = shift;
        for (uint64_t i = 0; i < 4 * v->pages; i++) {
            uint64_t lpn = random_next(&seed) % v->pages;
            CHECK_PAGE(v, lpn, 1);
        }
        struct kvmdb_counters c = store_counters(s);
        CHECK_LESS(v->pages / 4, c.tier_hits);
        CHECK_AT_MOST(c.tier_adds, c.tier_misses + v->pages);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
        volume_close(v);
        store_close(s);
    }
}

void a_tier_has_no_memory_before_anything_is_evicted(void)
{
    s = store_open_tiered(32 * MIB, TIER);
    struct volume *v = volume_open(s, 1000, 12);
    volume_populate(v, 0, 1000);
    for (uint64_t lpn = 0; lpn < 1000; lpn++)
        CHECK_PAGE(v, lpn, 1);
    CHECK_EQUAL(kvmdb_pool_tier_bytes(s->pool), 0);
    CHECK_EQUAL(store_counters(s).tier_adds, 0);
    CHECK_EQUAL(store_counters(s).tier_misses, 0);
    volume_close(v);
    store_close(s);
}

void the_tier_finds_nothing_under_another_seal(void)
{
    begin_tiered(16 * MIB);
    add_many(5, 6);
    struct block_seed right = seal_number(5);
    struct tier_hit hit;
    CHECK(find(5));
    for (int field = 0; field < 5; field++) {
        for (int bit = 0; bit < (field == 1 ? 32 : 64); bit++) { /* a generation has 32 bits */
            struct block_seed wrong = right;
            ((uint64_t *)&wrong)[field] ^= 1ull << bit;
            CHECK(!tier_find(s->pool, &wrong, &hit));
        }
    }
    for (uint32_t i = 0; i < s->pool->tier.chunks_max; i++)
        CHECK_EQUAL(s->pool->tier.chunks[i].pins, 0);
    store_close(s);
}

void a_block_of_a_segments_former_life_is_not_found(void)
{
    begin_tiered(16 * MIB);
    struct volume *v = volume_open(s, 16, 12);
    volume_put(v, 1, 1);
    CHECK_PAGE(v, 1, 1);
    evict_page(v, 1);
    CHECK_PAGE(v, 1, 1);
    CHECK_EQUAL(store_counters(s).tier_hits, 1);
    evict_page(v, 1);
    /* The same page, at the same place, of the same length, once with each part of what is new about it. */
    for (uint64_t life = 2; life < 4; life++) {
        s->segments[0].generation += life == 2;
        s->segments[0].salt += life == 3;
        s->head = 0;
        volume_put(v, 1, life);
        CHECK_PAGE(v, 1, life);
        CHECK_EQUAL(store_counters(s).tier_hits, 1);
        evict_page(v, 1);
    }
    volume_close(v);
    store_close(s);
}

void raw_blocks_and_wrong_ones_stay_out_of_the_tier(void)
{
    begin_tiered(16 * MIB);
    struct volume *v = volume_open(s, 16, 12);
    volume_put(v, 3, 1); /* raw */
    CHECK_PAGE(v, 3, 1);
    CHECK_EQUAL(store_counters(s).tier_adds, 0);
    volume_put(v, 4, 1);
    arm_fault(1ull << KVMDB_READ_CACHED | 1ull << KVMDB_READ, 0, 1, KVMDB_EFFECT_FLIP, 300);
    CHECK_PAGE(v, 4, 1); /* wrong at first, then right */
    CHECK_EQUAL(kvmdb_faults_hits(0), 1);
    CHECK_EQUAL(kvmdb_faults_disarm(), 0);
    CHECK_EQUAL(store_counters(s).tier_adds, 1);
    evict_page(v, 4);
    CHECK_PAGE(v, 4, 1);
    CHECK_EQUAL(store_counters(s).tier_hits, 1);
    volume_close(v);
    store_close(s);
}

void what_was_found_stays_until_it_is_released(void)
{
    begin_tiered(16 * MIB);
    add(0);
    struct block_seed seal = seal_number(0);
    struct tier_hit hit, other;
    CHECK(tier_find(s->pool, &seal, &hit));
    add_many(1, 20000); /* many times what fits */
    CHECK(!tier_find(s->pool, &seal, &other) || other.chunk != hit.chunk); /* it has gone, or lies elsewhere */
    CHECK(payload_is(0, hit.payload, hit.bytes));
    CHECK_EQUAL(store_counters(s).tier_declines, 0); /* the other chunks are used all the same */
    tier_release(s->pool, &hit);
    add_many(20000, 40000);
    CHECK(!payload_is(0, hit.payload, hit.bytes)); /* and now this one */
    store_close(s);
}

/* A hundred that are asked for all the time, among many that are asked for once; then those that come back soon. */
void what_is_asked_for_again_outlives_what_is_not(void)
{
    begin_tiered(16 * MIB);
    add_many(0, 100);
    uint64_t found = 0, asked = 0;
    for (uint64_t i = 0; i < 100000; i++) {
        add(1000 + i);
        if (i % 2 == 0) {
            asked++;
            if (find(i / 2 % 100))
                found++;
            else
                add(i / 2 % 100);
        }
    }
    CHECK_LESS(asked * 99 / 100, found);
    CHECK(!find(1000));
    uint64_t ghost = 98500; /* has left the small queue; the main one takes it now */
    CHECK(!find(ghost));
    add(ghost);
    add_many(200000, 204000); /* the small queue goes round */
    CHECK(find(ghost));
    store_close(s);
}

static void read_and_add(struct volume *v, uint64_t from)
{
    for (uint64_t i = 0; i < v->pages; i++) {
        CHECK_PAGE(v, i * 7919 % v->pages, 1);
        add_many(from + i, from + i + 1);
    }
}

/* Pages of a range that are in memory, as the kernel has it. */
static int64_t kernel_resident_bytes(void *from, uint64_t bytes)
{
    uint8_t *pages = malloc(bytes / 4096);
    CHECK_EQUAL(mincore(from, bytes, pages), 0);
    int64_t resident = 0;
    for (uint64_t i = 0; i < bytes / 4096; i++)
        resident += (pages[i] & 1) * 4096;
    free(pages);
    return resident;
}

static void *read_write_and_add(void *argument)
{
    struct volume *v = argument;
    uint64_t seed = (uint64_t)pthread_self();
    for (int i = 0; i < 8000; i++) {
        uint64_t lpn = random_next(&seed) % v->pages;
        if (i % 8 == 0)
            ((volatile uint64_t *)page_at(v, lpn))[7] = lpn;
        else
            (void)*(volatile uint64_t *)page_at(v, lpn);
        uint64_t number = random_next(&seed) % 10000;
        add_many(number, number + 1);
        CHECK_AT_MOST(kvmdb_pool_resident_bytes(s->pool), 12 * MIB + 6 * MIB / 10);
    }
    return NULL;
}

void the_budget_holds_with_a_tier(void)
{
    s = store_open_tiered(12 * MIB, 6 * MIB);
    struct volume *v = volume_open(s, 30000, 12);
    volume_populate(v, 0, 8000);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, read_write_and_add, v), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    struct block_tier *tier = &s->pool->tier;
    int64_t counted = kvmdb_pool_tier_bytes(s->pool);
    int64_t resident = kernel_resident_bytes(tier->memory, tier->memory_bytes);
    CHECK_LESS(4 * MIB, counted);
    CHECK_AT_MOST(counted, 6 * MIB);
    CHECK_AT_MOST(resident, counted);
    CHECK_LESS(counted - MIB, resident);
    int64_t pages = kernel_resident_bytes(v->base, v->pages << 12) + kernel_resident_bytes(v->region->shadow, v->pages << 12);
    CHECK_AT_MOST(pages + resident + s->resident_at_start, 12 * MIB + 6 * MIB / 10);
    commit_all(v);
    volume_close(v);
    store_close(s);
}

void the_tier_gives_its_memory_back_to_pages(void)
{
    s = store_open_tiered(8 * MIB, 5 * MIB);
    struct volume *v = volume_open(s, 8000, 12);
    volume_populate(v, 0, v->pages);
    read_and_add(v, 0);
    int64_t before = kvmdb_pool_tier_bytes(s->pool);
    CHECK_LESS(4 * MIB, before);
    CHECK_AT_MOST(before, 5 * MIB);
    uint64_t pinned = 4 * MIB / 4096;
    CHECK_EQUAL(kvmdb_region_pin(v->region, 0, pinned, 0), 0);
    CHECK_LESS(kvmdb_pool_tier_bytes(s->pool), before - MIB);
    CHECK_AT_MOST(kvmdb_pool_resident_bytes(s->pool), 8 * MIB);
    CHECK_EQUAL(store_counters(s).overshoots, 0);
    CHECK_EQUAL(kvmdb_region_unpin(v->region, 0, pinned), 0);
    read_and_add(v, v->pages);
    CHECK_LESS(before - MIB / 2, kvmdb_pool_tier_bytes(s->pool)); /* and takes it again */
    CHECK_AT_MOST(kvmdb_pool_resident_bytes(s->pool), 8 * MIB);
    volume_close(v);
    store_close(s);
}

void a_tier_too_small_is_none(void)
{
    s = store_open_tiered(16 * MIB, MIB / 2);
    s->pool->eviction_clock = 2;
    add_many(0, 100);
    CHECK_EQUAL(kvmdb_pool_tier_bytes(s->pool), 0);
    CHECK_EQUAL(store_counters(s).tier_adds, 0);
    store_close(s);
}

#define STORM_THREADS 8
#define STORM_MS 1000

static _Atomic bool over;
static _Atomic uint64_t found_in_storm;

/* Looks up and adds at random, and now and then sleeps on what it has found. */
static void *storm_thread(void *argument)
{
    uint64_t seed = (uint64_t)argument;
    for (uint64_t i = 0; !atomic_load(&over); i++) {
        uint64_t a = random_next(&seed) % 12000, b = random_next(&seed) % 12000;
        uint64_t number = a < b ? a : b;
        struct block_seed seal = seal_number(number);
        struct tier_hit hit;
        bool found = tier_find(s->pool, &seal, &hit);
        if (found && i % 64 == 0)
            usleep(300);
        if (found) {
            CHECK(payload_is(number, hit.payload, hit.bytes));
            tier_release(s->pool, &hit);
        } else {
            add(number);
        }
        atomic_fetch_add(&found_in_storm, found);
        if (i % 1024 == 1023 && seed % 4 == 0)
            tier_yield(s->pool);
    }
    return NULL;
}

void storm_on_the_tier(void)
{
    begin_tiered(16 * MIB);
    pthread_t threads[STORM_THREADS];
    atomic_store(&over, false);
    for (uint64_t i = 0; i < STORM_THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, storm_thread, (void *)(i + 1)), 0);
    usleep(STORM_MS * 1000);
    atomic_store(&over, true);
    for (int i = 0; i < STORM_THREADS; i++)
        pthread_join(threads[i], NULL);
    struct kvmdb_counters c = store_counters(s);
    CHECK_LESS(1000, c.tier_adds);
    CHECK_LESS(1000, c.tier_drops);
    CHECK_LESS(1000, found_in_storm);
    uint64_t held = 0;
    for (uint64_t i = 0; i < 12000; i++)
        held += find(i);
    CHECK_AT_MOST(held, c.tier_adds - c.tier_drops); /* two threads may have added the same */
    printf(" [%" PRIu64 " found, %" PRIu64 " added, %" PRIu64 " declined]", found_in_storm, c.tier_adds, c.tier_declines);
    store_close(s);
}
