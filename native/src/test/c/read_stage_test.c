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
    s = store_open_direct(64 * MIB, deadline_ms, 0);
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

static uint64_t read_ahead_of_calls(uint64_t first, uint64_t pages)
{
    return kvmdb_region_read_ahead(v->region, first << v->shift, pages << v->shift) >> v->shift;
}

/* Reads pages by calls that are too small to have pieces of their own. */
static void check_call(uint64_t first, uint64_t pages, uint64_t version)
{
    uint8_t run[KVMDB_RUN_BYTES];
    for (uint64_t lpn = first, n; lpn < first + pages; lpn += n) {
        n = least(KVMDB_RUN_BYTES >> v->shift, first + pages - lpn);
        CHECK_EQUAL(kvmdb_region_read(v->region, lpn << v->shift, n << v->shift, run), 0);
        for (uint64_t i = 0; i < n; i++)
            CHECK_CONTENT(v, lpn + i, version, run + (i << v->shift));
    }
}

/* Also while it is still under way. */
void what_was_read_ahead_of_calls_is_not_read_again(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 2) {
        if (begin(shift, 5000)) {
            uint32_t pages = 256 << 10 >> shift;
            for (uint64_t first = 100; first + pages < PAGES && first < 100 + 8 * pages; first += 2 * pages) {
                arm_fault(READS | 1ull << KVMDB_READ_COMPLETE, 1, first % 4 ? 1 : 0, KVMDB_EFFECT_DELAY, 1);
                uint64_t stopped = read_ahead_of_calls(first, pages);
                CHECK_LESS(first + 1, stopped);
                check_call(first, stopped - first, 1);
                kvmdb_faults_disarm();
                arm_fault(READS, 0, 0, KVMDB_EFFECT_NONE, 0);
                stopped = read_ahead_of_calls(first + pages, pages);
                check_call(first + pages, stopped - first - pages, 1);
                CHECK_AT_MOST(kvmdb_faults_seen(0), 1);
                CHECK_EQUAL(kvmdb_faults_disarm(), 0);
            }
            check_pages(0, PAGES);
        }
        end();
    }
}

static void move_page(uint64_t lpn)
{
    static const uint8_t garbage[8192] = {0xee};
    uint8_t page[4096];
    uint64_t old = map_get(v, lpn);
    content_write(v, lpn, 1, page);
    map_set(v, lpn, store_append(s, v, lpn, page, CODEC_LZ4));
    store_write_block(s, old, garbage);
}

static void commit_page(uint64_t lpn)
{
    static const uint8_t garbage[8192] = {0xee};
    uint64_t old = map_get(v, lpn);
    content_write(v, lpn, 2, page_at(v, lpn));
    CHECK_EQUAL(commit_all(v), 1);
    store_write_block(s, old, garbage);
}

/* Faults may have brought neighbours in. */
static void evict_clean(uint64_t first, uint64_t pages)
{
    for (uint64_t lpn = first; lpn < first + pages; lpn++)
        evict_if_clean(v, lpn);
}

/* Moved, made a hole, committed, stolen, written, spilled, rolled back: between the reading ahead and the call. */
void what_changes_after_it_was_read_ahead_is_read_as_it_is(void)
{
    enum { MOVED = 20, HOLES = 30, COMMITTED = 40, STOLEN = 50, WRITTEN = 60, SPILLED = 70, END = 80 };
    if (begin(12, 5000)) {
        CHECK_EQUAL(read_ahead_of_calls(MOVED, END - MOVED), END);
        stages_wait(s->pool, UINT32_MAX);
        for (uint64_t i = 0; i < HOLES - MOVED; i++) {
            move_page(MOVED + i);
            map_set(v, HOLES + i, 0);
        }
        for (uint64_t lpn = COMMITTED; lpn < STOLEN; lpn++)
            commit_page(lpn);
        for (uint64_t i = 0; i < WRITTEN - STOLEN; i++) {
            content_write(v, STOLEN + i, 2, page_at(v, STOLEN + i));
            CHECK_EQUAL(steal_some(v, 1), 1);
        }
        for (uint64_t i = 0; i < SPILLED - WRITTEN; i++) {
            content_write(v, WRITTEN + i, 2, page_at(v, WRITTEN + i));
            content_write(v, SPILLED + i, 2, page_at(v, SPILLED + i));
            spill_page_at(v, SPILLED + i);
        }
        evict_clean(MOVED, END - MOVED);
        check_call(MOVED, HOLES - MOVED, 1);
        check_call(HOLES, COMMITTED - HOLES, 0);
        check_call(COMMITTED, END - COMMITTED, 2);
        CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
        evict_clean(MOVED, END - MOVED);
        check_call(COMMITTED, STOLEN - COMMITTED, 2);
        check_call(STOLEN, END - STOLEN, 1);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    }
    end();
}

/* The segment lives again, with other blocks of the same pages at the same places. */
void a_place_that_is_used_again_after_it_was_read_ahead_is_read_as_it_is(void)
{
    if (begin(12, 5000)) {
        enum { FIRST = 100, COUNT_OF = 40 };
        CHECK_EQUAL(read_ahead_of_calls(FIRST, COUNT_OF), FIRST + COUNT_OF);
        stages_wait(s->pool, UINT32_MAX);
        struct segment_entry *segment = &s->segments[ppn_segment(map_get(v, FIRST))];
        uint64_t head = s->head;
        segment->generation++;
        s->head = (uint64_t)ppn_segment(map_get(v, FIRST)) * SEGMENT_BYTES + ppn_offset_bytes(map_get(v, FIRST));
        for (uint64_t lpn = FIRST; lpn < FIRST + COUNT_OF; lpn++)
            volume_put(v, lpn, 2);
        s->head = head;
        check_call(FIRST, COUNT_OF, 2);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    }
    end();
}

void what_the_tier_has_is_not_read_ahead(void)
{
    if (begin(12, 5000)) {
        end();
        s = store_open_direct(64 * MIB, 5000, 16 * MIB);
        v = volume_open(s, PAGES, 12);
        volume_populate(v, 0, PAGES);
        atomic_store(&s->pool->eviction_clock, 2); /* else there is no need of a tier yet */
        check_pages(20, 60); /* every third is raw, and not in the tier */
        for (int i = 0; i < 3; i++)
            evict_down_to(s, 0);
        uint64_t hits = store_counters(s).tier_hits;
        arm_fault(READS, 0, 0, KVMDB_EFFECT_NONE, 0);
        CHECK_EQUAL(page_state(word_of(v, 22)), EMPTY);
        CHECK_EQUAL(read_ahead_of_calls(22, 2), 24);
        CHECK_EQUAL(read_ahead_of_calls(25, 2), 27);
        CHECK_EQUAL(kvmdb_faults_seen(0), 0);
        CHECK_EQUAL(store_counters(s).tier_hits, hits);
        CHECK_EQUAL(read_ahead_of_calls(202, 2), 204);
        CHECK_EQUAL(kvmdb_faults_seen(0), 1);
        CHECK_EQUAL(kvmdb_faults_disarm(), 0);
        check_pages(0, PAGES);
    }
    end();
}

/* It reads for itself then. */
void a_call_waits_for_what_hangs_no_longer_than_the_deadline(void)
{
    if (begin(12, 1000)) {
        arm_fault(1ull << KVMDB_READ_SUBMIT, 0, 1, KVMDB_EFFECT_HANG, 0);
        uint64_t start = milliseconds();
        CHECK_LESS(20, read_ahead_of_calls(20, 60));
        for (uint64_t lpn = 20; lpn < 60; lpn++)
            check_call(lpn, 1, 1);
        CHECK_LESS(990, milliseconds() - start);
        CHECK_LESS(milliseconds() - start, 15000); /* and not once for each page */
        CHECK_EQUAL(kvmdb_faults_disarm(), 0);
        usleep(20000);
        check_pages(0, PAGES);
    }
    end();
}

/* A piece that its reader has not come to is left to him for a while. */
void guesses_take_no_piece_that_a_reader_comes_for(void)
{
    if (begin(12, 5000)) {
        uint32_t left = 20; /* tries: a machine that is busy may take longer than the while */
        for (; left > 0; left--) {
            uint64_t start = milliseconds();
            for (uint32_t i = 0; i < s->pool->stage_count; i++)
                read_ahead_of_calls(i * 100, 20);
            stages_wait(s->pool, UINT32_MAX);
            uint64_t stopped = read_ahead_of_calls(600, 20);
            if (milliseconds() - start < 15)
                CHECK_EQUAL(stopped, 600);
            if (stopped == 600)
                break;
            usleep(50000);
        }
        if (left == 0)
            printf(" [all of it took longer than the while]");
        check_call(100, 20, 1); /* who has come makes room */
        CHECK_EQUAL(read_ahead_of_calls(600, 20), 620);
        usleep(50000); /* who does not, too */
        CHECK_EQUAL(read_ahead_of_calls(700, 20), 720);
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
        s = store_open_direct(64 * MIB, 5000, 0);
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

static _Atomic bool is_over;

/* Reads in order by calls, each page of whichever version it has; what is read ahead may be older. */
static void *scan_by_calls(void *argument)
{
    struct volume *volume = argument;
    uint8_t run[KVMDB_RUN_BYTES];
    uint32_t pages = KVMDB_RUN_BYTES >> volume->shift;
    for (uint64_t lpn = 0; !atomic_load(&is_over); lpn = (lpn + pages) % (volume->pages - pages)) {
        kvmdb_region_read_ahead(volume->region, (lpn + pages) << volume->shift, 512 << 10);
        CHECK_EQUAL(kvmdb_region_read(volume->region, lpn << volume->shift, (uint64_t)pages << volume->shift, run), 0);
        for (uint64_t i = 0; i < pages; i++) {
            const uint8_t *page = run + (i << volume->shift);
            if ((lpn + i) % 7 != 0) /* these are being written */
                CHECK_CONTENT(volume, lpn + i, 1, page);
        }
    }
    return NULL;
}

void calls_in_order_share_the_pieces_while_pages_change(void)
{
    for (uint32_t shift = 12; shift <= 13; shift++) {
        s = store_open_direct(64 * MIB, 5000, 24 * MIB);
        v = volume_open(s, (uint64_t)(150 * MIB) >> shift, shift);
        volume_populate(v, 0, v->pages);
        atomic_store(&is_over, false);
        pthread_t readers[3];
        for (int i = 0; i < 3; i++) {
            CHECK_EQUAL(pthread_create(&readers[i], NULL, scan_by_calls, v), 0);
            usleep(5000);
        }
        uint64_t seed = shift, version = 2;
        uint8_t page[8192];
        for (uint64_t until = milliseconds() + 1000; milliseconds() < until; version++) {
            uint64_t lpn = random_next(&seed) % (v->pages / 7) * 7;
            content_write(v, lpn, version, page_at(v, lpn));
            CHECK_EQUAL(commit_all(v), 1);
            evict_if_clean(v, lpn); /* a reader may have needed its room */
            CHECK_EQUAL(kvmdb_region_read(v->region, lpn << shift, v->bytes, page), 0);
            CHECK_CONTENT(v, lpn, version, page);
        }
        atomic_store(&is_over, true);
        for (int i = 0; i < 3; i++)
            pthread_join(readers[i], NULL);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
        for (uint32_t i = 0; i < s->pool->stage_count; i++) {
            CHECK_EQUAL(atomic_load(&s->pool->stages[i].pins), 0);
            CHECK_EQUAL(atomic_load(&s->pool->stages[i].waiters), 0);
        }
        end();
    }
}
