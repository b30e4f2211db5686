/* Pieces of the log that are read before the pages in them are filled: read_stage.h. */
#define _GNU_SOURCE
#include "fake_store.h"
#include "page_read.h"
#include "read_ahead.h"
#include "tests.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define PAGES 1000

static struct store *s;
static struct volume *v;

static bool is_direct(void)
{
    return s->pool->devices[0].direct_fd >= 0; /* not every file system has such reads */
}

/* False when there are no stages here. */
static bool begin(uint32_t shift, uint64_t deadline_ms)
{
    s = store_open_direct(64 * MIB, deadline_ms);
    v = volume_open(s, PAGES, shift);
    volume_populate(v, 0, PAGES);
    if (!is_direct())
        printf(" [not past the page cache here]");
    return is_direct();
}

static void end(void)
{
    volume_close(v);
    store_close(s);
}

static int64_t read_ahead(uint64_t first, int64_t stride, uint32_t pages)
{
    struct page_steps steps = {first, stride, pages};
    read_ahead_ask(v->region, &steps);
    return kvmdb_pool_read_ahead(s->pool, 0);
}

static void check_pages(uint64_t first, uint64_t end_lpn)
{
    for (uint64_t lpn = first; lpn < end_lpn; lpn++)
        CHECK_PAGE(v, lpn, 1);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
}

static uint64_t bytes_between(uint64_t first, uint64_t last)
{
    return ppn_offset_bytes(map_get(v, last)) + ppn_length_bytes(map_get(v, last)) - ppn_offset_bytes(map_get(v, first));
}

#define READS (1ull << KVMDB_READ_SUBMIT | 1ull << KVMDB_READ | 1ull << KVMDB_READ_CACHED)

static uint64_t pieces_between(uint64_t first, uint64_t last)
{
    return bytes_between(first, last) / (KVMDB_STAGE_BYTES - KVMDB_RUN_BYTES) + 1;
}

void neighbours_are_read_in_large_pieces(void)
{
    for (uint32_t shift = 12; shift <= 14; shift++) {
        uint32_t pages = (uint32_t)(512 << 10 >> shift); /* all stages together have room for them */
        if (begin(shift, 5000)) {
            arm_fault(READS, 0, 0, KVMDB_EFFECT_NONE, 0);
            CHECK_EQUAL(read_ahead(20, 1, pages), pages);
            CHECK_PAGE(v, 19, 1); /* the one that is left to the reader */
            uint64_t pieces = pieces_between(19, 19 + pages);
            CHECK_AT_MOST(kvmdb_faults_seen(0), pieces);
            CHECK_EQUAL(read_ahead(900, -1, pages), pages);
            CHECK_PAGE(v, 901, 1);
            CHECK_AT_MOST(kvmdb_faults_seen(0), pieces + pieces_between(901 - pages, 901));
            CHECK_EQUAL(kvmdb_faults_disarm(), 0);
            check_pages(0, PAGES);
        }
        end();
    }
}

void a_call_reads_what_it_needs_in_large_pieces(void)
{
    enum { SPAN_PAGES = 100 };
    if (begin(12, 5000)) {
        uint8_t *span = malloc(SPAN_PAGES * v->bytes);
        arm_fault(READS, 0, 0, KVMDB_EFFECT_NONE, 0);
        CHECK_EQUAL(kvmdb_region_read(v->region, 20 * v->bytes, SPAN_PAGES * v->bytes, span), 0);
        CHECK_AT_MOST(kvmdb_faults_seen(0), pieces_between(20, 20 + SPAN_PAGES));
        CHECK_EQUAL(kvmdb_faults_disarm(), 0);
        for (uint64_t i = 0; i < SPAN_PAGES; i++)
            CHECK_CONTENT(v, 20 + i, 1, span + i * v->bytes);
        free(span);
        check_pages(0, PAGES);
    }
    end();
}

void pages_at_distances_are_read_together_with_what_is_between(void)
{
    if (begin(12, 5000)) {
        arm_fault(READS, 0, 0, KVMDB_EFFECT_NONE, 0);
        CHECK_EQUAL(read_ahead(10, 3, 100), 100);
        CHECK_AT_MOST(kvmdb_faults_seen(0), pieces_between(7, 307));
        CHECK_EQUAL(kvmdb_faults_disarm(), 0);
        check_pages(0, PAGES);
    }
    end();
}

/* What was read was right when it was read, or never was: the device is asked again. */
void a_piece_that_is_not_what_the_map_means_is_no_error(void)
{
    if (begin(12, 5000)) {
        uint8_t block[8192];
        store_read_block(s, map_get(v, 50), block)[100] ^= 1;
        store_write_block(s, map_get(v, 50), block);
        CHECK_EQUAL(read_ahead(20, 1, 60), 59);
        block[100] ^= 1;
        store_write_block(s, map_get(v, 50), block);
        check_pages(0, PAGES);
    }
    end();
}

void faults_of_a_piece_are_not_those_of_its_pages(void)
{
    static const struct {
        enum kvmdb_operation operation;
        enum kvmdb_effect effect;
        int64_t value;
    } faults[] = {
        {KVMDB_READ_SUBMIT, KVMDB_EFFECT_ERROR, EIO},  {KVMDB_READ_COMPLETE, KVMDB_EFFECT_ERROR, EIO},
        {KVMDB_READ_SUBMIT, KVMDB_EFFECT_SHORT, 8192}, {KVMDB_READ_COMPLETE, KVMDB_EFFECT_SHORT, 5000},
        {KVMDB_READ_COMPLETE, KVMDB_EFFECT_SHORT, 0},  {KVMDB_READ_COMPLETE, KVMDB_EFFECT_FLIP, 99999},
        {KVMDB_READ_SUBMIT, KVMDB_EFFECT_MISPLACE, 4096}, {KVMDB_READ_COMPLETE, KVMDB_EFFECT_DELAY, 30},
        {KVMDB_READ_COMPLETE, KVMDB_EFFECT_REPEAT, 0},
    };
    for (uint64_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (begin(12, 5000)) {
            arm_fault(1ull << faults[i].operation, 0, 1, faults[i].effect, faults[i].value);
            CHECK_LESS(0, read_ahead(20, 1, 100));
            CHECK_EQUAL(kvmdb_faults_disarm(), 0);
            CHECK_EQUAL(kvmdb_faults_hits(0), 1);
            check_pages(0, PAGES);
        }
        end();
    }
}

/* Nobody waits longer than until the deadline, which a busy disk keeps, and the pages come by reads of their own. */
void a_piece_that_hangs_holds_nobody_up(void)
{
    if (begin(12, 500)) {
        arm_fault(1ull << KVMDB_READ_SUBMIT, 0, 1, KVMDB_EFFECT_HANG, 0);
        uint64_t start = milliseconds();
        CHECK_EQUAL(read_ahead(20, 1, 100), 100);
        CHECK_LESS(milliseconds() - start, 5000);
        check_pages(0, 200);
        CHECK_AT_MOST(100, read_ahead(300, 1, 100)); /* by the other stages */
        CHECK_EQUAL(kvmdb_faults_disarm(), 0);
        usleep(20000);
        check_pages(0, PAGES);
    }
    end();
}

void blocks_of_a_stream_take_no_room_in_the_tier(void)
{
    if (begin(12, 5000)) {
        atomic_store(&s->pool->eviction_clock, 2); /* else there is no need of a tier yet */
        CHECK_EQUAL(read_ahead(20, 1, 100), 100);
        CHECK_EQUAL(store_counters(s).tier_adds + store_counters(s).tier_declines, 0);
    }
    end();
}

void nothing_of_a_device_that_went_is_found(void)
{
    if (begin(12, 5000)) {
        struct staged_bytes found = {0};
        struct segment_entry *segment = &s->segments[ppn_segment(map_get(v, 30))];
        uint64_t position = segment->device_offset + ppn_offset_bytes(map_get(v, 30));
        CHECK_EQUAL(read_ahead(20, 1, 100), 100);
        CHECK(stage_find(s->pool, 0, position, 64, &found));
        stage_release(&found);
        CHECK(!stage_find(s->pool, 1, position, 64, &found));
        CHECK_EQUAL(kvmdb_pool_device(s->pool, 0, s->device), 0);
        CHECK(!stage_find(s->pool, 0, position, 64, &found));
        check_pages(0, PAGES);
    }
    end();
}

static void *serve(void *argument)
{
    struct pool *pool = argument;
    while (!(atomic_load(&pool->pressure) & PRESSURE_STOP))
        kvmdb_pool_read_ahead(pool, 1000);
    return NULL;
}

static void *scan(void *argument)
{
    struct volume *volume = argument;
    for (int round = 0; round < 3; round++) {
        for (uint64_t lpn = 0; lpn < volume->pages; lpn++)
            CHECK_PAGE(volume, lpn, 1);
    }
    return NULL;
}

/* Three readers, each at another place of the same pages, two that read ahead of them, four stages. */
void readers_share_the_pieces(void)
{
    for (uint32_t shift = 12; shift <= 13; shift++) {
        s = store_open_direct(64 * MIB, 5000);
        v = volume_open(s, (uint64_t)(100 * MIB) >> shift, shift);
        volume_populate(v, 0, v->pages);
        pthread_t servers[2], readers[3];
        for (int i = 0; i < 2; i++)
            CHECK_EQUAL(pthread_create(&servers[i], NULL, serve, s->pool), 0);
        for (int i = 0; i < 3; i++) {
            CHECK_EQUAL(pthread_create(&readers[i], NULL, scan, v), 0);
            usleep(5000);
        }
        for (int i = 0; i < 3; i++)
            pthread_join(readers[i], NULL);
        kvmdb_pool_stop(s->pool);
        for (int i = 0; i < 2; i++)
            pthread_join(servers[i], NULL);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
        for (uint32_t i = 0; i < s->pool->stage_count; i++)
            CHECK_EQUAL(atomic_load(&s->pool->stages[i].pins), 0);
        end();
    }
}
