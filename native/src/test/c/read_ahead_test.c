/* What faults tell of what is read next, and reading that ahead: streams, requests, threads that serve them. */
#define _GNU_SOURCE
#include "fake_store.h"
#include "read_ahead.h"
#include "tests.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- streams ---- */

#define SPACE (1u << 18) /* pages of an imagined region */
#define RUN 16
#define WINDOW 256

/* A region that only exists as an address: each test has streams of its own. */
static const struct region *imagined(uint64_t number)
{
    return (const struct region *)(0x1000 * (number + 1));
}

struct reader {
    const struct region *region;
    uint8_t *filled; /* by LPN, how often */
    uint64_t faults, asked, used, filled_at_once;
};

static struct reader *reader_open(uint64_t number)
{
    struct reader *r = calloc(1, sizeof *r);
    r->region = imagined(number);
    r->filled = calloc(SPACE, 1);
    return r;
}

static void reader_close(struct reader *r)
{
    free(r->filled);
    free(r);
}

/* Reads a page; what is asked for is there at once. */
static void read_page(struct reader *r, uint64_t lpn)
{
    if (r->filled[lpn])
        return;
    struct stream_fault fault = {r->region, lpn, RUN, WINDOW, UINT32_MAX};
    struct stream_plan plan;
    stream_fault(&fault, &plan);
    CHECK_LESS(0, plan.pages);
    CHECK_AT_MOST(plan.pages, RUN);
    CHECK_LESS(plan.ahead.pages, WINDOW);
    r->faults++;
    r->asked += plan.ahead.pages;
    r->used += plan.used;
    for (uint32_t i = 0; i < plan.pages && lpn + i < SPACE && !r->filled[lpn + i]; i++) {
        r->filled[lpn + i] = 1;
        r->filled_at_once++;
    }
    for (uint32_t i = 0; i < plan.ahead.pages; i++) {
        uint64_t ahead = plan.ahead.first + (uint64_t)(plan.ahead.stride * (int64_t)i);
        if (ahead < SPACE)
            r->filled[ahead]++;
    }
}

void pages_in_order_are_read_ahead_with_few_faults(void)
{
    struct reader *r = reader_open(1);
    uint64_t pages = 100000;
    for (uint64_t lpn = 0; lpn < pages; lpn++)
        read_page(r, lpn);
    CHECK_AT_MOST(r->faults, 20 + pages / WINDOW);
    CHECK_AT_MOST(r->used, r->asked);
    CHECK_LESS(r->asked - r->used, 2 * WINDOW); /* never farther ahead than that */
    for (uint64_t lpn = 0; lpn < pages; lpn++)
        CHECK_EQUAL(r->filled[lpn], 1); /* nothing is asked for twice */
    reader_close(r);
}

void pages_at_equal_distances_are_read_ahead_with_few_faults(void)
{
    static const int64_t strides[] = {2, 3, 7, 64, 1000, -1, -2, -50};
    for (uint64_t i = 0; i < sizeof strides / sizeof *strides; i++) {
        struct reader *r = reader_open(10 + i);
        int64_t stride = strides[i];
        uint64_t steps = SPACE / (uint64_t)(stride > 0 ? stride : -stride) - 1;
        steps = steps < 10000 ? steps : 10000;
        uint64_t lpn = stride > 0 ? 0 : SPACE - 1;
        for (uint64_t n = 0; n < steps; n++, lpn += (uint64_t)stride)
            read_page(r, lpn);
        CHECK_AT_MOST(r->faults, 20 + steps / WINDOW);
        CHECK_LESS(r->asked - r->used, 2 * WINDOW);
        reader_close(r);
    }
}

void pages_at_random_are_not_read_ahead(void)
{
    struct reader *r = reader_open(30);
    uint64_t seed = 3;
    for (int i = 0; i < 100000; i++) {
        read_page(r, random_next(&seed) % SPACE);
        if (i % 1000 == 0)
            memset(r->filled, 0, SPACE); /* as if all were evicted */
    }
    CHECK_EQUAL(r->asked, 0);
    CHECK_LESS(50000, r->faults);
    CHECK_LESS(r->filled_at_once - r->faults, r->faults / 1000); /* pages that nobody asked for */
    reader_close(r);
}

void streams_are_followed_among_other_faults(void)
{
    struct reader *a = reader_open(40), *b = reader_open(41), *other = reader_open(42);
    uint64_t seed = 4;
    for (uint64_t i = 0; i < 20000; i++) {
        read_page(a, i);
        read_page(b, i * 5);
        for (int k = 0; k < 3; k++)
            read_page(other, random_next(&seed) % SPACE);
    }
    CHECK_AT_MOST(a->faults, 20 + 20000 / WINDOW);
    CHECK_LESS(other->asked, 2 * WINDOW);
    /* A guess at a stride needs faults that follow one another. */
    CHECK_LESS(100, b->faults);
    reader_close(a);
    reader_close(b);
    reader_close(other);
}

/* Faults one by one in order; each says that the page was evicted so many evictions ago. Returns the pages asked for. */
static uint64_t asked_when_evicted(uint64_t number, uint64_t from, uint64_t to, uint32_t evictions_ago)
{
    uint64_t asked = 0;
    for (uint64_t lpn = from; lpn < to; lpn++) {
        struct stream_fault fault = {imagined(number), lpn, RUN, WINDOW, evictions_ago};
        struct stream_plan plan;
        stream_fault(&fault, &plan);
        asked += plan.ahead.pages;
    }
    return asked;
}

void what_was_evicted_before_it_was_used_makes_windows_smaller(void)
{
    uint64_t steady = asked_when_evicted(50, 0, 10000, UINT32_MAX);
    CHECK_LESS(9000, steady);
    CHECK_LESS(9000, asked_when_evicted(51, 0, 10000, 100000)); /* by an earlier scan */
    CHECK_LESS(asked_when_evicted(52, 0, 10000, 10), steady / 2);
}

void small_windows_mean_no_reading_ahead(void)
{
    for (uint64_t lpn = 0; lpn < 1000; lpn++) {
        struct stream_fault fault = {imagined(60), lpn, RUN, RUN, UINT32_MAX};
        struct stream_plan plan;
        stream_fault(&fault, &plan);
        CHECK_EQUAL(plan.ahead.pages, 0);
    }
}

/* ---- requests ---- */

static void ask_for(struct volume *v, uint64_t first, int64_t stride, uint32_t pages)
{
    struct page_steps steps = {first, stride, pages};
    read_ahead_ask(v->region, &steps);
}

static bool is_resident(struct volume *v, uint64_t lpn)
{
    return page_is_resident(word_of(v, lpn));
}

void what_is_asked_for_is_brought_in_and_nothing_else(void)
{
    for (uint32_t shift = 12; shift <= 16; shift++) {
        struct store *s = store_open(64 * MIB);
        struct volume *v = volume_open(s, 400, shift);
        volume_populate(v, 0, 400);
        ask_for(v, 10, 1, 30);
        ask_for(v, 90, -1, 20);
        ask_for(v, 100, 7, 10);
        ask_for(v, 300, -13, 5);
        ask_for(v, 390, 1, 50);        /* beyond the end */
        ask_for(v, 5, -1, 3);
        ask_for(v, 2, -1, 50);         /* before the beginning */
        ask_for(v, 1000, 1, 50);
        CHECK_EQUAL(kvmdb_pool_read_ahead(s->pool, 0), 30 + 20 + 10 + 5 + 10 + 3 + 3);
        for (uint64_t lpn = 0; lpn < 400; lpn++) {
            bool asked = (lpn >= 10 && lpn < 40) || (lpn > 70 && lpn <= 90) || (lpn >= 100 && lpn < 170 && (lpn - 100) % 7 == 0)
                || (lpn <= 300 && lpn > 235 && (300 - lpn) % 13 == 0) || lpn >= 390 || lpn <= 5;
            CHECK_EQUAL(is_resident(v, lpn), asked);
        }
        CHECK_EQUAL(kvmdb_pool_read_ahead(s->pool, 0), 0);
        CHECK_EQUAL(store_counters(s).read_faults, 0);
        for (uint64_t lpn = 0; lpn < 400; lpn++)
            CHECK_PAGE(v, lpn, 1);
        volume_close(v);
        store_close(s);
    }
}

void requests_without_a_place_are_dropped(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 1000, 12);
    volume_populate(v, 0, 1000);
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < 200; i++)
            ask_for(v, (uint64_t)round * 200 + i, 1, 1);
        CHECK_EQUAL(kvmdb_pool_read_ahead(s->pool, 0), KVMDB_REQUESTS);
    }
    volume_close(v);
    store_close(s);
}

static void *serve_requests(void *argument)
{
    struct pool *pool = argument;
    while (!(atomic_load(&pool->pressure) & PRESSURE_STOP))
        kvmdb_pool_read_ahead(pool, 1000);
    return NULL;
}

static void *ask_much(void *argument)
{
    struct volume *v = argument;
    uint64_t seed = (uint64_t)pthread_self();
    for (int i = 0; i < 20000; i++)
        ask_for(v, random_next(&seed) % v->pages, (int64_t)(random_next(&seed) % 9) - 4, 1 + random_next(&seed) % 40);
    return NULL;
}

void many_ask_and_many_serve(void)
{
    struct store *s = store_open(8 * MIB);
    struct volume *v = volume_open(s, 8192, 12);
    volume_populate(v, 0, 8192);
    pthread_t threads[6];
    for (int i = 0; i < 6; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, i < 3 ? ask_much : serve_requests, i < 3 ? (void *)v : (void *)s->pool), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    for (uint64_t lpn = 0; lpn < 8192; lpn++)
        CHECK_PAGE(v, lpn, 1);
    kvmdb_pool_stop(s->pool); /* wakes who waits for a request */
    for (int i = 3; i < 6; i++)
        pthread_join(threads[i], NULL);
    CHECK_AT_MOST(8192, store_counters(s).filled_pages);
    CHECK_AT_MOST(kvmdb_pool_resident_bytes(s->pool), 8 * MIB * 11 / 10);
    volume_close(v);
    store_close(s);
}

void a_bad_page_ahead_is_recorded_when_it_is_reached(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 64, 12);
    volume_populate(v, 0, 64);
    uint8_t block[8192];
    store_read_block(s, map_get(v, 20), block)[100] ^= 1;
    store_write_block(s, map_get(v, 20), block);
    ask_for(v, 0, 1, 64);
    CHECK_EQUAL(kvmdb_pool_read_ahead(s->pool, 0), 63);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    CHECK_EQUAL(word_of(v, 20), EMPTY);
    CHECK_EQUAL(kvmdb_region_load(v->region, 20, 1), -EIO);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 1);
    volume_close(v);
    store_close(s);
}

void nothing_is_read_ahead_into_a_cache_full_of_writes(void)
{
    struct store *s = store_open(8 * MIB);
    struct volume *v = volume_open(s, 4096, 12);
    volume_populate(v, 0, 4096);
    uint64_t lpn = 0;
    for (; kvmdb_pool_dirty_bytes(s->pool) <= s->pool->dirty_limit_bytes; lpn++)
        content_write(v, lpn, 2, page_at(v, lpn));
    uint64_t spilled = store_counters(s).spilled_pages;
    ask_for(v, 2048, 1, 100);
    CHECK_EQUAL(kvmdb_pool_read_ahead(s->pool, 0), 0);
    CHECK_EQUAL(store_counters(s).spilled_pages, spilled);
    CHECK_EQUAL(commit_all(v), lpn);
    ask_for(v, 2048, 1, 100);
    CHECK_EQUAL(kvmdb_pool_read_ahead(s->pool, 0), 100);
    volume_close(v);
    store_close(s);
}

/* ---- readers and those who read ahead of them ---- */

static void check_scan(struct volume *v, uint64_t first, int64_t stride, uint64_t steps)
{
    for (uint64_t i = 0, lpn = first; i < steps; i++, lpn += (uint64_t)stride) {
        CHECK_PAGE(v, lpn, 1);
        if (i % 64 == 0)
            CHECK_AT_MOST(kvmdb_pool_resident_bytes(v->store->pool), (int64_t)v->store->pool->options.budget_bytes * 11 / 10);
    }
}

void scans_are_right_and_within_the_budget_while_others_read_ahead(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 2) {
        int64_t budget = 16 * MIB;
        struct store *s = store_open(budget);
        uint64_t pages = (uint64_t)(3 * budget) >> shift;
        struct volume *v = volume_open_with(s, pages, shift, shift == 14 ? KVMDB_REGION_READ_ONLY : 0);
        volume_populate(v, 0, pages);
        pthread_t servers[2];
        for (int i = 0; i < 2; i++)
            CHECK_EQUAL(pthread_create(&servers[i], NULL, serve_requests, s->pool), 0);
        check_scan(v, 0, 1, pages);
        check_scan(v, pages - 1, -1, pages);
        check_scan(v, 1, 5, (pages - 1) / 5);
        CHECK_LESS(pages, store_counters(s).read_ahead_pages);
        CHECK_LESS(store_counters(s).read_ahead_pages * 3 / 4, store_counters(s).read_ahead_used_pages);
        CHECK_EQUAL(store_counters(s).spilled_pages, 0);
        kvmdb_pool_stop(s->pool);
        for (int i = 0; i < 2; i++)
            pthread_join(servers[i], NULL);
        volume_close(v);
        store_close(s);
    }
}

void random_reads_fill_the_pages_that_they_ask_for(void)
{
    struct store *s = store_open(8 * MIB);
    struct volume *v = volume_open(s, 16384, 12);
    volume_populate(v, 0, 16384);
    pthread_t server;
    CHECK_EQUAL(pthread_create(&server, NULL, serve_requests, s->pool), 0);
    uint64_t seed = 9;
    for (int i = 0; i < 30000; i++) {
        uint64_t lpn = random_next(&seed) % v->pages;
        CHECK_PAGE(v, lpn, 1);
    }
    struct kvmdb_counters c = store_counters(s);
    CHECK_EQUAL(c.read_ahead_pages, 0);
    CHECK_LESS(c.filled_pages - c.read_faults, c.read_faults / 500);
    kvmdb_pool_stop(s->pool);
    pthread_join(server, NULL);
    volume_close(v);
    store_close(s);
}

static _Atomic bool is_over;

static void *scan_until_over(void *argument)
{
    struct volume *v = argument;
    while (!atomic_load(&is_over)) {
        uint64_t size = atomic_load(&v->region->size_pages);
        for (uint64_t lpn = 0; lpn < size && !atomic_load(&is_over); lpn++)
            ask_for(v, lpn, 1, 64);
    }
    return NULL;
}

void a_volume_changes_its_size_and_content_while_it_is_read_ahead(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 2048, 12);
    volume_populate(v, 0, 2048);
    atomic_store(&is_over, false);
    pthread_t asker, server;
    CHECK_EQUAL(pthread_create(&asker, NULL, scan_until_over, v), 0);
    CHECK_EQUAL(pthread_create(&server, NULL, serve_requests, s->pool), 0);
    for (int i = 0; i < 300; i++) {
        CHECK_EQUAL(kvmdb_region_resize(v->region, 1024 << 12), 0);
        for (uint64_t lpn = 1024; lpn < 2048; lpn++)
            CHECK_EQUAL(page_state(word_of(v, lpn)), EMPTY);
        CHECK_EQUAL(kvmdb_region_resize(v->region, 2048 << 12), 0);
        CHECK_EQUAL(kvmdb_region_replace(v->region, 2048 << 12), 0);
    }
    atomic_store(&is_over, true);
    kvmdb_pool_stop(s->pool);
    pthread_join(asker, NULL);
    pthread_join(server, NULL);
    for (uint64_t lpn = 0; lpn < 2048; lpn++)
        CHECK_PAGE(v, lpn, 1);
    volume_close(v);
    store_close(s);
}

void regions_close_while_they_are_read_ahead(void)
{
    struct store *s = store_open(32 * MIB);
    pthread_t servers[2];
    for (int i = 0; i < 2; i++)
        CHECK_EQUAL(pthread_create(&servers[i], NULL, serve_requests, s->pool), 0);
    for (int round = 0; round < 200; round++) {
        struct volume *v = volume_open(s, 1024, 12);
        volume_populate(v, 0, 64);
        for (uint64_t i = 0; i < 16; i++)
            ask_for(v, i * 64, 1, 64);
        if (round % 2)
            usleep((useconds_t)(round * 3));
        volume_close(v);
    }
    kvmdb_pool_stop(s->pool);
    for (int i = 0; i < 2; i++)
        pthread_join(servers[i], NULL);
    store_close(s);
}
