/* How the budget is divided between page frames and the compressed tier, by what is asked for. */
#define _GNU_SOURCE
#include "fake_store.h"
#include "page_read.h"
#include "tests.h"

#define BUDGET (16 * MIB)
#define TIER (14 * MIB)
#define PAGES 16000
#define HOT_PAGES 2000 /* half of the budget as frames */

static struct store *s;
static struct volume *v;

static void begin(void)
{
    s = store_open_tiered(BUDGET, TIER);
    v = volume_open(s, PAGES, 12);
    uint64_t seed = 1, page[512] = {0};
    for (uint64_t lpn = 0; lpn < PAGES; lpn++) {
        for (int i = 0; i < 512; i += 3) /* a third of it does not compress */
            page[i] = random_next(&seed);
        page[0] = lpn;
        map_set(v, lpn, store_append(s, v, lpn, page, CODEC_LZ4));
    }
}

static void end(void)
{
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    volume_close(v);
    store_close(s);
}

/* Reads at random, so many of a hundred in the hot pages and the others anywhere, while the evictor is at work. */
static void read_pages(int count, uint64_t hot_percent)
{
    static uint64_t seed = 7;
    for (int i = 0; i < count; i++) {
        uint64_t pages = random_next(&seed) % 100 < hot_percent ? HOT_PAGES : PAGES;
        uint64_t lpn = random_next(&seed) % pages;
        CHECK_EQUAL(*(volatile uint64_t *)page_at(v, lpn), lpn);
        if (i % 64 == 0)
            kvmdb_pool_evict(s->pool);
        CHECK_AT_MOST(kvmdb_pool_resident_bytes(s->pool), BUDGET);
    }
}

void pages_that_are_asked_for_alike_leave_the_tier_all_that_it_may_have(void)
{
    begin();
    read_pages(100000, 0);
    CHECK_LESS(TIER - 2 * MIB, kvmdb_pool_tier_bytes(s->pool));
    end();
}

void a_hot_set_that_fits_into_frames_gets_them(void)
{
    begin();
    read_pages(30000, 0);
    CHECK_LESS(TIER - 2 * MIB, kvmdb_pool_tier_bytes(s->pool));
    uint64_t before = store_counters(s).read_faults;
    read_pages(20000, 95);
    uint64_t while_it_is_small = store_counters(s).read_faults - before;
    read_pages(200000, 95);
    CHECK_LESS(kvmdb_pool_tier_bytes(s->pool), BUDGET - HOT_PAGES * 4096ll);
    before = store_counters(s).read_faults;
    read_pages(20000, 95);
    CHECK_LESS(3 * (store_counters(s).read_faults - before), while_it_is_small);
    end();
}

void the_tier_grows_again_when_there_is_no_hot_set_any_more(void)
{
    begin();
    read_pages(200000, 95);
    int64_t small = kvmdb_pool_tier_bytes(s->pool);
    CHECK_LESS(small, BUDGET - HOT_PAGES * 4096ll);
    read_pages(200000, 0);
    CHECK_LESS(small + 3 * MIB, kvmdb_pool_tier_bytes(s->pool));
    end();
}

void calls_alone_move_the_share_of_the_tier(void)
{
    begin();
    read_pages(100000, 0);
    tier_resize(s->pool, -(6 * MIB));
    while (tier_is_too_large(&s->pool->tier))
        CHECK(tier_yield(s->pool));
    int64_t small = kvmdb_pool_tier_bytes(s->pool);
    uint64_t seed = 3;
    for (int i = 0; i < 200000; i++) {
        uint64_t lpn = random_next(&seed) % PAGES, found;
        CHECK_EQUAL(kvmdb_region_read(v->region, lpn << 12, sizeof found, (uint8_t *)&found), 0);
        CHECK_EQUAL(found, lpn);
        if (atomic_load(&s->pool->pressure) & PRESSURE_EVICT) {
            kvmdb_pool_wait_pressure(s->pool, PRESSURE_EVICT, 0);
            kvmdb_pool_evict(s->pool);
        }
        CHECK_AT_MOST(kvmdb_pool_resident_bytes(s->pool), BUDGET);
    }
    CHECK_LESS(100000, store_counters(s).passed_pages);
    CHECK_LESS(small + 3 * MIB, kvmdb_pool_tier_bytes(s->pool));
    end();
}
