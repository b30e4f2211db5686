/* Writing by a call whole pages that are not in memory. */
#define _GNU_SOURCE
#include "page_write.h"
#include "fake_store.h"
#include "kernel.h"
#include "tests.h"

#include <errno.h>
#include <string.h>

/* Writes a version of pages by a call, and those that it leaves by memory. Returns the set of those that it wrote. */
static uint64_t write_by_call(struct volume *v, uint64_t lpn, uint64_t pages, uint64_t version)
{
    uint8_t *source = calloc(pages, v->bytes);
    for (uint64_t i = 0; i < pages; i++)
        content_write(v, lpn + i, version, source + (i << v->shift));
    uint64_t set = (uint64_t)kvmdb_region_write_missing(v->region, lpn << v->shift, pages << v->shift, source);
    for (uint64_t i = 0; i < pages; i++) {
        if (!(set >> i & 1))
            memcpy(page_at(v, lpn + i), source + (i << v->shift), v->bytes);
    }
    free(source);
    return set;
}

static void refuse_reads(void)
{
    refuse_forever(1ull << KVMDB_READ | 1ull << KVMDB_READ_SUBMIT | 1ull << KVMDB_READ_CACHED, EIO);
}

static int64_t signals(struct store *s)
{
    struct kvmdb_counters c = store_counters(s);
    return (int64_t)(c.read_faults + c.write_faults + c.first_writes + c.idle_faults);
}

void missing_pages_are_written_over_without_a_look_at_what_they_held(void)
{
    for (uint32_t shift = 12; shift <= 16; shift++) {
        struct store *s = store_open(16 * MIB);
        struct volume *v = volume_open(s, 64, shift);
        volume_populate(v, 0, 40);
        refuse_reads();
        for (uint64_t lpn = 0; lpn < 64; lpn += 8)
            CHECK_EQUAL(write_by_call(v, lpn, 7, 2), 0x7f);
        CHECK_EQUAL(store_counters(s).overwritten_pages, 56);
        CHECK_EQUAL(store_counters(s).filled_pages, 0);
        CHECK_EQUAL(kvmdb_region_dirty_pages(v->region), 56);
        CHECK_EQUAL(kvmdb_pool_dirty_bytes(s->pool), 56 * v->bytes);
        for (uint64_t lpn = 0; lpn < 64; lpn += lpn % 8 == 6 ? 2 : 1) {
            CHECK_PAGE(v, lpn, 2);
            content_write(v, lpn, 3, page_at(v, lpn)); /* in all its parts */
        }
        CHECK_EQUAL(signals(s), 0);
        kvmdb_faults_disarm();
        CHECK_EQUAL(commit_all(v), 56);
        for (uint64_t lpn = 0; lpn < 64; lpn++) {
            if (lpn % 8 != 7)
                evict_page(v, lpn);
            CHECK_PAGE(v, lpn, lpn % 8 != 7 ? 3 : lpn < 40 ? 1 : 0);
        }
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
        volume_close(v);
        store_close(s);
    }
}

/* A write of one is seen by the next commit, and of no other. */
void a_page_written_by_a_call_is_frozen_and_rolled_back_as_others_are(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 2) {
        struct store *s = store_open(64 * MIB);
        struct volume *v = volume_open(s, 16, shift);
        volume_populate(v, 0, 16);
        CHECK_EQUAL(write_by_call(v, 4, 4, 2), 15);
        struct commit *c = commit_freeze(v, 0, 16);
        CHECK_EQUAL(c->count, 4);
        content_write(v, 5, 3, page_at(v, 5));
        CHECK_EQUAL(store_counters(s).copied_aside, 1);
        commit_copy_out(c, NULL);
        commit_apply(c);
        commit_free(c);
        CHECK_EQUAL(write_by_call(v, 0, 3, 3), 7);
        CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
        CHECK_EQUAL(kvmdb_pool_dirty_bytes(s->pool), 0);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
        for (uint64_t lpn = 0; lpn < 16; lpn++)
            CHECK_PAGE(v, lpn, lpn >= 4 && lpn < 8 ? 2 : 1);
        volume_close(v);
        store_close(s);
    }
}

void pages_in_part_and_pages_in_memory_are_left_to_memory(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 128, 12);
    volume_populate(v, 0, 128);
    uint8_t *source = malloc(66 * 4096);
    memset(source, 7, 66 * 4096);
    CHECK_EQUAL(kvmdb_region_load(v->region, 3, 1), 0);
    content_write(v, 5, 2, page_at(v, 5));
    spill_page_at(v, 5);
    /* From the midst of page 1 to that of page 7. */
    CHECK_EQUAL(kvmdb_region_write_missing(v->region, 4096 + 100, 6 * 4096, source), 1 << 1 | 1 << 3 | 1 << 5);
    CHECK_PAGE(v, 1, 1);
    CHECK_PAGE(v, 3, 1);
    CHECK_PAGE(v, 5, 2);
    CHECK_PAGE(v, 7, 1);
    for (uint64_t lpn = 2; lpn < 7; lpn += 2)
        CHECK(memcmp(page_at(v, lpn), source, 4096) == 0);
    CHECK_EQUAL(kvmdb_region_write_missing(v->region, 20 * 4096 + 1, 4096, source), 0);
    CHECK_EQUAL(kvmdb_region_write_missing(v->region, 20 * 4096, 4095, source), 0);
    CHECK_EQUAL(kvmdb_region_write_missing(v->region, 20 * 4096, 0, source), 0);
    CHECK_EQUAL(kvmdb_region_write_missing(v->region, 20 * 4096, 65 * 4096, source), 0);
    CHECK_EQUAL(page_state(word_of(v, 20)), EMPTY);
    CHECK_EQUAL(kvmdb_region_write_missing(v->region, 20 * 4096, 64 * 4096, source), -1);
    CHECK_EQUAL(kvmdb_region_write_missing(v->region, 127 * 4096, 2 * 4096, source), 0);
    CHECK_EQUAL(kvmdb_region_write_missing(v->region, UINT64_MAX - 4095, 4096, source), 0);
    CHECK_EQUAL(kvmdb_region_write_missing(v->region, 127 * 4096, UINT64_MAX, source), 0);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    uint64_t lock;
    CHECK(page_try_lock(&v->region->words[100], &lock)); /* somebody fills it */
    CHECK_EQUAL(kvmdb_region_write_missing(v->region, 99 * 4096, 3 * 4096, source), 5);
    page_unlock(&v->region->words[100], lock);
    CHECK_PAGE(v, 100, 1);
    free(source);
    CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
    volume_close(v);
    store_close(s);
}

void a_region_that_is_only_read_is_not_written_by_a_call(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open_with(s, 16, 12, KVMDB_REGION_READ_ONLY);
    volume_populate(v, 0, 16);
    static const uint8_t source[4096];
    CHECK_EQUAL(kvmdb_region_write_missing(v->region, 0, 4096, source), 0);
    CHECK_EQUAL(page_state(word_of(v, 0)), EMPTY);
    CHECK_PAGE(v, 0, 1);
    volume_close(v);
    store_close(s);
}

void what_a_bad_block_held_can_be_written_over(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 16, 12);
    volume_populate(v, 0, 16);
    uint8_t block[KVMDB_PAGE_BYTES_MAX + 256];
    store_read_block(s, map_get(v, 6), block)[40] ^= 1;
    store_write_block(s, map_get(v, 6), block);
    CHECK_EQUAL(write_by_call(v, 6, 1, 2), 1);
    CHECK_EQUAL(commit_all(v), 1);
    evict_page(v, 6);
    CHECK_PAGE(v, 6, 2);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    volume_close(v);
    store_close(s);
}

/* Zeros that stand for a bad page are no EMPTY page: it was asked for, and its error is on record. */
void a_poisoned_page_is_left_to_memory(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 16, 12);
    volume_populate(v, 0, 16);
    refuse_reads();
    CHECK_PAGE(v, 3, 0);
    CHECK_EQUAL(page_state(word_of(v, 3)), POISONED);
    CHECK_EQUAL(write_by_call(v, 2, 3, 2), 5);
    kvmdb_faults_disarm();
    CHECK_EQUAL(kvmdb_region_unpoison(v->region), 1);
    CHECK_PAGE(v, 2, 2);
    CHECK_PAGE(v, 3, 1);
    CHECK_EQUAL(commit_all(v), 2);
    volume_close(v);
    store_close(s);
}

void stolen_pages_are_written_over_and_rolled_back(void)
{
    for (int commits = 0; commits < 2; commits++) {
        struct store *s = store_open(64 * MIB);
        struct volume *v = volume_open(s, 16, 12);
        volume_populate(v, 0, 16);
        for (uint64_t lpn = 0; lpn < 8; lpn++)
            content_write(v, lpn, 2, page_at(v, lpn));
        CHECK_EQUAL(steal_some(v, 8), 8);
        for (uint64_t lpn = 0; lpn < 8; lpn++)
            evict_page(v, lpn);
        refuse_reads();
        CHECK_EQUAL(write_by_call(v, 0, 4, 3), 15);
        kvmdb_faults_disarm();
        CHECK_EQUAL(steal_some(v, 2), 2);
        evict_page(v, 0);
        CHECK_PAGE(v, 0, 3);
        if (commits)
            CHECK_EQUAL(commit_all(v), 2);
        CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
        kvmdb_space_release(&s->space, v->path_bytes_kept);
        v->path_bytes_kept = 0;
        for (uint64_t lpn = 0; lpn < 16; lpn++)
            CHECK_PAGE(v, lpn, !commits || lpn >= 8 ? 1 : lpn < 4 ? 3 : 2);
        volume_close(v);
        store_close(s);
    }
}

void pages_that_there_is_no_space_for_are_left_to_memory(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 4) {
        struct store *s = store_open(16 * MIB);
        struct volume *v = volume_open(s, 16, shift);
        volume_populate(v, 0, 16);
        store_set_free(s, 2 * v->region->page_reservation_bytes + KVMDB_PATH_RESERVATION_BYTES);
        int64_t resident = kvmdb_pool_resident_bytes(s->pool);
        CHECK_EQUAL(write_by_call(v, 4, 3, 2), 3);
        struct kvmdb_bad_page bad;
        CHECK_EQUAL(kvmdb_region_bad_page(v->region, 1, &bad), 0);
        CHECK_EQUAL(bad.cause, KVMDB_BAD_FULL);
        CHECK_EQUAL(bad.lpn, 6);
        CHECK_EQUAL(page_state(word_of(v, 6)), POISONED);
        CHECK_EQUAL(kvmdb_region_unpoison(v->region), 1);
        CHECK_EQUAL(kvmdb_pool_resident_bytes(s->pool), resident + 4096 + 2 * v->bytes);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 2 * v->region->page_reservation_bytes + KVMDB_PATH_RESERVATION_BYTES);
        CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
        for (uint64_t lpn = 0; lpn < 16; lpn++)
            CHECK_PAGE(v, lpn, 1);
        volume_close(v);
        store_close(s);
    }
}

/* What the kernel does not map is written in memory; what lies there already is not taken for what should. */
void pages_that_the_kernel_does_not_map_are_left_to_memory(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 2) {
        struct store *s = store_open(16 * MIB);
        struct volume *v = volume_open(s, 16, shift);
        volume_populate(v, 0, 16);
        refuse_forever(1ull << KVMDB_MAP_PAGE, ENOMEM);
        static const uint8_t source[4 * KVMDB_PAGE_BYTES_MAX];
        CHECK_EQUAL(kvmdb_region_write_missing(v->region, 0, 4 * v->bytes, source), 0);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), atomic_load(&v->region->path_reservations) * KVMDB_PATH_RESERVATION_BYTES);
        CHECK_EQUAL(kvmdb_pool_dirty_bytes(s->pool), 0);
        kvmdb_faults_disarm();
        /* Something lies where the last part of page 2 is to be. */
        uint8_t *last_part = page_at(v, 3) - 4096;
        CHECK_EQUAL(kernel_unregister(s->pool->uffd, last_part, 4096), 0);
        *last_part = 1;
        CHECK_EQUAL(kernel_register(s->pool->uffd, last_part, 4096), 0);
        CHECK_EQUAL(kvmdb_region_write_missing(v->region, 0, 2 * v->bytes, source), 3);
        CHECK_EQUAL(page_state(word_of(v, 1)), DIRTY);
        CHECK_EQUAL(kvmdb_region_write_missing(v->region, 2 << v->shift, 2 * v->bytes, source), 2);
        CHECK_EQUAL(page_state(word_of(v, 2)), EMPTY);
        CHECK_EQUAL(write_by_call(v, 2, 1, 2), 1); /* it was dropped */
        CHECK_EQUAL(commit_all(v), 4);
        for (uint64_t lpn = 0; lpn < 16; lpn++)
            CHECK_PAGE(v, lpn, lpn == 2 ? 2 : lpn < 4 ? 0 : 1);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
        volume_close(v);
        store_close(s);
    }
}

void data_larger_than_memory_are_written_over_within_the_budget(void)
{
    const int64_t budget = 8 * MIB;
    for (uint32_t shift = 12; shift <= 16; shift += 2) {
        struct store *s = store_open(budget);
        struct volume *v = volume_open(s, 3 * (uint64_t)budget >> shift, shift);
        uint32_t pages = 65536 >> shift; /* of a write */
        for (uint64_t version = 1; version <= 2; version++) {
            for (uint64_t lpn = 0; lpn < v->pages; lpn += pages) {
                write_by_call(v, lpn, pages, version);
                CHECK_AT_MOST(kvmdb_pool_resident_bytes(s->pool), budget + budget / 10);
                if (lpn % (v->pages / 16) == 0)
                    commit_all(v);
            }
        }
        commit_all(v);
        CHECK_LESS(v->pages, store_counters(s).overwritten_pages);
        CHECK_EQUAL(store_counters(s).filled_pages, 0);
        for (uint64_t lpn = 0; lpn < v->pages; lpn++)
            CHECK_PAGE(v, lpn, 2);
        volume_close(v);
        store_close(s);
    }
}

/* ---- beside changes of size and content ---- */

struct overwriting {
    struct volume *volume;
    _Atomic bool over;
};

static void *overwrite(void *argument)
{
    struct overwriting *o = argument;
    struct volume *v = o->volume;
    uint8_t *source = malloc(16 * 4096);
    memset(source, 0x77, 16 * 4096);
    uint64_t seed = 1;
    while (!atomic_load(&o->over)) {
        uint64_t lpn = random_next(&seed) % (v->pages - 16);
        kvmdb_region_write_missing(v->region, lpn << 12, 16 << 12, source);
    }
    free(source);
    return NULL;
}

/* Each round touches groups of pages that nobody has touched before. */
void nothing_written_by_a_call_stays_beyond_a_new_end(void)
{
    struct store *s = store_open(64 * MIB);
    for (int round = 0; round < 30; round++) {
        struct volume *v = volume_open(s, 4096, 12);
        struct overwriting o = {.volume = v};
        pthread_t thread;
        CHECK_EQUAL(pthread_create(&thread, NULL, overwrite, &o), 0);
        usleep((useconds_t)round * 50);
        CHECK_EQUAL(kvmdb_region_resize(v->region, 600 << 12), 0);
        for (uint64_t lpn = 600; lpn < 4096; lpn++)
            CHECK_EQUAL(page_state(word_of(v, lpn)), EMPTY);
        CHECK_EQUAL(kvmdb_region_resize(v->region, 4096 << 12), 0);
        usleep(200);
        CHECK_EQUAL(kvmdb_region_replace(v->region, 600 << 12), 0);
        for (uint64_t lpn = 600; lpn < 4096; lpn++)
            CHECK_EQUAL(page_state(word_of(v, lpn)), EMPTY);
        atomic_store(&o.over, true);
        pthread_join(thread, NULL);
        CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
        volume_close(v);
    }
    store_close(s);
}
