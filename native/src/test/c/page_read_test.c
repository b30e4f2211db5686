/* Reading by a call: what it copies, what gets a frame for it, and what fails. */
#define _GNU_SOURCE
#include "fake_store.h"
#include "page_read.h"
#include "tests.h"

#include <errno.h>
#include <string.h>

#define TIER (6 * MIB)

static struct store *s;
static struct volume *v;

/* A volume of 64 MiB of which the cache holds a part, its frames full, its tier in use. */
static void begin(uint32_t shift)
{
    s = store_open_tiered(12 * MIB, TIER);
    v = volume_open(s, 64 * MIB >> shift, shift);
    volume_populate(v, 0, v->pages / 2);
    for (uint64_t lpn = v->pages / 4; lpn < v->pages / 2; lpn++)
        CHECK_PAGE(v, lpn, 1);
    for (uint64_t lpn = v->pages / 4; kvmdb_pool_resident_bytes(s->pool) < s->pool->evict_low_bytes; lpn++)
        CHECK_PAGE(v, lpn, 1); /* a batch of evictions may have been a large one */
    CHECK(tier_is_active(&s->pool->tier));
}

static void end(void)
{
    volume_close(v);
    store_close(s);
}

static int read_page(uint64_t lpn, uint8_t *page)
{
    return kvmdb_region_read(v->region, lpn << v->shift, v->bytes, page);
}

static void check_read(uint64_t lpn, uint64_t version)
{
    uint8_t page[KVMDB_PAGE_BYTES_MAX];
    CHECK_EQUAL(read_page(lpn, page), 0);
    CHECK_CONTENT(v, lpn, version, page);
}

static bool compresses(uint64_t lpn)
{
    return ppn_length_bytes(map_get(v, lpn)) <= v->bytes;
}

static uint64_t first_compressible(uint64_t lpn)
{
    while (!compresses(lpn))
        lpn++;
    return lpn;
}

void calls_read_spans_of_pages_of_every_size_and_kind(void)
{
    enum { SPAN_MAX = 300000 };
    uint8_t *expected = malloc(SPAN_MAX + 2 * KVMDB_PAGE_BYTES_MAX), *found = malloc(SPAN_MAX + 1);
    for (uint32_t shift = 12; shift <= 16; shift++) {
        begin(shift);
        uint64_t seed = shift, size = v->pages << shift;
        for (int i = 0; i < 200; i++) {
            uint64_t bytes = random_next(&seed) % (i % 2 ? SPAN_MAX : 20);
            uint64_t offset = i % 8 == 0 ? size - bytes : random_next(&seed) % (size - bytes);
            uint64_t first = offset >> shift;
            for (uint64_t lpn = first; lpn << shift < offset + bytes; lpn++)
                content_write(v, lpn, lpn < v->pages / 2 ? 1 : 0, expected + ((lpn - first) << shift));
            found[bytes] = 0x5a;
            CHECK_EQUAL(kvmdb_region_read(v->region, offset, bytes, found), 0);
            CHECK(memcmp(found, expected + (offset - (first << shift)), bytes) == 0);
            CHECK_EQUAL(found[bytes], 0x5a);
        }
        CHECK_LESS(100, store_counters(s).passed_pages);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
        end();
    }
    free(expected);
    free(found);
}

/* How many of them the distribution of their latencies has. */
static uint64_t latencies_of_passed_reads(void)
{
    uint64_t buckets[KVMDB_LATENCY_BUCKETS], sum = 0;
    CHECK_EQUAL(kvmdb_pool_latency(s->pool, KVMDB_PASSED_READ, buckets), 0);
    for (int i = 0; i < KVMDB_LATENCY_BUCKETS; i++)
        sum += buckets[i];
    return sum;
}

void what_a_call_reads_while_frames_are_full_takes_none(void)
{
    begin(12);
    uint64_t filled = store_counters(s).filled_pages;
    uint64_t passed = 0;
    for (uint64_t lpn = 0; lpn < v->pages / 4; lpn++) {
        if (!compresses(lpn))
            continue;
        check_read(lpn, 1);
        CHECK_EQUAL(page_state(word_of(v, lpn)), EMPTY);
        passed++;
    }
    check_read(v->pages - 1, 0); /* a hole */
    CHECK_EQUAL(page_state(word_of(v, v->pages - 1)), EMPTY);
    CHECK_EQUAL(store_counters(s).passed_pages, passed + 1);
    CHECK_EQUAL(latencies_of_passed_reads(), passed + 1);
    CHECK_EQUAL(store_counters(s).filled_pages, filled);
    /* Its block is in the tier now. */
    uint64_t lpn = first_compressible(v->pages / 4 - 8), misses = store_counters(s).tier_misses;
    check_read(lpn, 1);
    CHECK_EQUAL(store_counters(s).tier_misses, misses);
    end();
}

void what_calls_ask_for_again_soon_gets_a_frame(void)
{
    begin(12);
    uint64_t lpn = first_compressible(5);
    check_read(lpn, 1);
    CHECK_EQUAL(page_state(word_of(v, lpn)), EMPTY);
    check_read(lpn, 1);
    CHECK_EQUAL(page_state(word_of(v, lpn)), CLEAN);
    CHECK(word_of(v, lpn) & PAGE_HOT);
    /* Alone, whatever else is read with it. */
    uint8_t span[8 * 4096];
    lpn = first_compressible(100);
    check_read(lpn, 1);
    CHECK_EQUAL(kvmdb_region_read(v->region, lpn << 12, sizeof span, span), 0);
    CHECK_EQUAL(page_state(word_of(v, lpn)), CLEAN);
    CHECK_EQUAL(page_state(word_of(v, first_compressible(lpn + 1))), EMPTY);
    /* One that comes back later does not. */
    lpn = first_compressible(200);
    check_read(lpn, 1);
    for (uint64_t other = 1000; other < 4000; other++)
        check_read(other, 1);
    check_read(lpn, 1);
    CHECK_EQUAL(page_state(word_of(v, lpn)), EMPTY);
    end();
}

void what_calls_read_gets_frames_while_there_is_room(void)
{
    s = store_open_tiered(32 * MIB, TIER);
    v = volume_open(s, 1000, 12);
    volume_populate(v, 0, 1000);
    for (uint64_t lpn = 0; lpn < 1000; lpn++) {
        check_read(lpn, 1);
        CHECK_EQUAL(page_state(word_of(v, lpn)), CLEAN);
    }
    CHECK_EQUAL(store_counters(s).passed_pages, 0);
    end();
}

void what_the_tier_would_not_keep_gets_a_frame(void)
{
    begin(12);
    uint64_t lpn = 5;
    while (compresses(lpn))
        lpn++;
    check_read(lpn, 1);
    CHECK_EQUAL(page_state(word_of(v, lpn)), CLEAN);
    end();
    /* Without a tier, all. */
    s = store_open(8 * MIB);
    v = volume_open(s, 8192, 12);
    volume_populate(v, 0, 8192);
    for (lpn = 0; lpn < 8192; lpn++)
        check_read(lpn, 1);
    CHECK_EQUAL(store_counters(s).passed_pages, 0);
    CHECK_LESS(4096, store_counters(s).evicted_pages);
    end();
}

void calls_read_what_was_written_and_not_committed(void)
{
    begin(12);
    for (uint64_t lpn = 10; lpn < 14; lpn++)
        content_write(v, lpn, 2, page_at(v, lpn));
    check_read(10, 2);
    CHECK_EQUAL(steal_some(v, 1), 1);
    evict_page(v, 10);
    check_read(10, 2);
    spill_page_at(v, 11);
    check_read(11, 2);
    struct commit *c = commit_freeze(v, 0, 100);
    check_read(12, 2);
    content_write(v, 12, 3, page_at(v, 12));
    check_read(12, 3);
    commit_fail(c);
    commit_free(c);
    CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
    for (uint64_t lpn = 10; lpn < 14; lpn++)
        check_read(lpn, 1);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    end();
}

void a_bad_page_fails_the_call_and_is_recorded(void)
{
    begin(12);
    uint64_t bad = first_compressible(20);
    uint8_t block[8192], page[4096], span[64 * 4096];
    store_read_block(s, map_get(v, bad), block)[100] ^= 1;
    store_write_block(s, map_get(v, bad), block);
    CHECK_EQUAL(read_page(bad, page), -EIO);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 1);
    CHECK_EQUAL(last_bad_page(v).lpn, bad);
    CHECK_EQUAL(last_bad_page(v).cause, KVMDB_BAD_CHECKSUM);
    CHECK_EQUAL(kvmdb_region_read(v->region, 0, sizeof span, span), -EIO);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 2);
    check_read(bad - 1, 1);
    check_read(bad + 1, 1);
    /* Zeros that somebody was let through to are not what a call reads. */
    CHECK(*(volatile uint64_t *)page_at(v, bad) == 0);
    CHECK_EQUAL(page_state(word_of(v, bad)), POISONED);
    CHECK_EQUAL(read_page(bad, page), -EIO);
    block[100] ^= 1;
    store_write_block(s, map_get(v, bad), block);
    check_read(bad, 1);
    end();
}

void a_call_refuses_what_lies_beyond_the_end(void)
{
    begin(12);
    uint8_t page[4096];
    uint64_t size = v->pages << 12;
    CHECK_EQUAL(kvmdb_region_read(v->region, size - 8, 8, page), 0);
    CHECK_EQUAL(kvmdb_region_read(v->region, size, 0, page), 0);
    CHECK_EQUAL(kvmdb_region_read(v->region, size - 8, 9, page), -EINVAL);
    CHECK_EQUAL(kvmdb_region_read(v->region, UINT64_MAX - 3, 8, page), -EINVAL);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    end();
}

void a_page_that_a_call_passed_costs_nothing_when_the_region_closes(void)
{
    begin(12);
    struct volume *other = v;
    v = volume_open(s, 100000, 12); /* groups of states that nothing else touched */
    for (uint64_t lpn = 0; lpn < v->pages; lpn += 700)
        check_read(lpn, 0);
    CHECK_LESS(100, store_counters(s).passed_pages);
    volume_close(v);
    v = other;
    end(); /* which checks the counters */
}
