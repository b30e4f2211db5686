/* Bringing pages in: read faults, first writes, runs, load, prefetch, pins. */
#define _GNU_SOURCE
#include "fake_store.h"
#include "kernel.h"
#include "tests.h"

#include <errno.h>
#include <string.h>

void read_faults_show_lz4_raw_and_hole_pages_of_every_size(void)
{
    for (uint32_t shift = 12; shift <= 16; shift++) {
        struct store *s = store_open(16 * MIB);
        struct volume *v = volume_open(s, 64, shift);
        volume_populate(v, 0, 40);
        for (uint64_t lpn = 64; lpn-- > 0;)
            CHECK_PAGE(v, lpn, lpn < 40 ? 1 : 0);
        CHECK_EQUAL(store_counters(s).read_faults, 64);
        CHECK_EQUAL(store_counters(s).first_writes, 0);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
        volume_close(v);
        store_close(s);
    }
}

void sequential_reads_fill_ahead(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 1024, 12);
    volume_populate(v, 0, 1024);
    for (uint64_t lpn = 0; lpn < 1024; lpn++)
        CHECK_PAGE(v, lpn, 1);
    CHECK_LESS(store_counters(s).read_faults, 1024 / 8);
    CHECK_EQUAL(store_counters(s).filled_pages, 1024);
    volume_close(v);
    store_close(s);
}

void sequential_updates_fill_ahead_too(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 512, 12);
    volume_populate(v, 0, 512);
    for (uint64_t lpn = 0; lpn < 512; lpn++) {
        CHECK_PAGE(v, lpn, 1);
        content_write(v, lpn, 2, page_at(v, lpn));
    }
    CHECK_LESS(store_counters(s).read_faults, 512 / 8);
    CHECK_EQUAL(commit_all(v), 512);
    volume_close(v);
    store_close(s);
}

void a_write_to_a_missing_page_keeps_the_rest_of_it(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 2) {
        struct store *s = store_open(16 * MIB);
        struct volume *v = volume_open(s, 64, shift);
        volume_populate(v, 0, 32);
        for (uint64_t lpn = 0; lpn < 64; lpn += 5) {
            uint64_t *last = (uint64_t *)(page_at(v, lpn) + v->bytes) - 1;
            *last = 77;
            CHECK_EQUAL(page_state(word_of(v, lpn)), DIRTY);
            uint8_t expected[KVMDB_PAGE_BYTES_MAX];
            content_write(v, lpn, lpn < 32 ? 1 : 0, expected);
            CHECK(memcmp(page_at(v, lpn), expected, v->bytes - 8) == 0);
            CHECK_EQUAL(*last, 77);
        }
        CHECK_EQUAL(store_counters(s).write_faults, 13);
        CHECK_EQUAL(kvmdb_region_dirty_pages(v->region), 13);
        CHECK_EQUAL(kvmdb_pool_dirty_bytes(s->pool), 13 * v->bytes);
        volume_close(v);
        store_close(s);
    }
}

void the_first_write_to_a_clean_page_makes_it_dirty_once(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 8, 14);
    volume_populate(v, 0, 8);
    CHECK_PAGE(v, 3, 1);
    CHECK_EQUAL(page_state(word_of(v, 3)), CLEAN);
    for (uint32_t part = 0; part < v->bytes / 4096; part++)
        page_at(v, 3)[part * 4096] = 1;
    CHECK_EQUAL(store_counters(s).first_writes, 1);
    CHECK_EQUAL(atomic_load(&v->region->parts[3]), 0xf);
    int64_t reserved = v->region->page_reservation_bytes + KVMDB_PATH_RESERVATION_BYTES;
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), reserved);
    content_write(v, 3, 2, page_at(v, 3));
    CHECK_EQUAL(commit_all(v), 1);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
    evict_page(v, 3);
    CHECK_PAGE(v, 3, 2);
    volume_close(v);
    store_close(s);
}

void load_brings_everything_in_and_refuses_what_lies_beyond(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 256, 12);
    volume_populate(v, 0, 256);
    CHECK_EQUAL(kvmdb_region_load(v->region, 0, 257), -EINVAL);
    CHECK_EQUAL(kvmdb_region_load(v->region, UINT64_MAX, 2), -EINVAL);
    CHECK_EQUAL(kvmdb_region_load(v->region, 0, 256), 0);
    uint64_t faults = store_counters(s).read_faults;
    for (uint64_t lpn = 0; lpn < 256; lpn++)
        CHECK_PAGE(v, lpn, 1);
    CHECK_EQUAL(store_counters(s).read_faults, faults);
    CHECK_EQUAL(kvmdb_region_prefetch(v->region, 0, 256), 0);
    volume_close(v);
    store_close(s);
}

void prefetch_records_nothing_and_load_does(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 8, 12);
    volume_populate(v, 0, 8);
    uint8_t block[8192];
    store_read_block(s, map_get(v, 4), block)[100] ^= 1;
    store_write_block(s, map_get(v, 4), block);
    CHECK_EQUAL(kvmdb_region_prefetch(v->region, 0, 8), -EIO);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    CHECK_EQUAL(kvmdb_region_load(v->region, 0, 8), -EIO);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 1);
    CHECK_EQUAL(last_bad_page(v).lpn, 4);
    CHECK_EQUAL(kvmdb_region_load(v->region, 0, 4), 0);
    CHECK_PAGE(v, 3, 1);
    volume_close(v);
    store_close(s);
}

void pins_keep_pages_in_memory_and_write_pins_make_them_dirty(void)
{
    struct store *s = store_open(8 * MIB);
    struct volume *v = volume_open(s, 8192, 12);
    volume_populate(v, 0, 8192);
    CHECK_EQUAL(kvmdb_region_pin(v->region, 10, 4, 0), 0);
    CHECK_EQUAL(kvmdb_region_pin(v->region, 20, 4, 1), 0);
    CHECK_EQUAL(page_state(word_of(v, 10)), CLEAN);
    CHECK_EQUAL(page_state(word_of(v, 20)), DIRTY);
    uint64_t writes = store_counters(s).first_writes;
    page_at(v, 23)[0] ^= 0;
    CHECK_EQUAL(store_counters(s).first_writes, writes);
    CHECK_EQUAL(steal_some(v, 100), 0);
    CHECK_EQUAL(kvmdb_region_rollback(v->region), -EBUSY);
    CHECK_EQUAL(kvmdb_region_load(v->region, 0, 8192), 0);
    for (uint64_t lpn = 10; lpn < 14; lpn++)
        CHECK(page_is_resident(word_of(v, lpn)) && page_is_pinned(word_of(v, lpn)));
    CHECK_LESS(0, store_counters(s).evicted_pages);
    for (uint64_t lpn = 20; lpn < 24; lpn++)
        CHECK(page_is_resident(word_of(v, lpn)) && page_is_pinned(word_of(v, lpn)));
    CHECK_EQUAL(kvmdb_region_resize(v->region, 4096 * 12), -EBUSY);
    CHECK_EQUAL(kvmdb_region_unpin(v->region, 10, 4), 0);
    CHECK_EQUAL(kvmdb_region_unpin(v->region, 20, 4), 0);
    CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
    CHECK_EQUAL(kvmdb_region_pin(v->region, 8190, 3, 0), -EINVAL);
    CHECK(!page_is_pinned(word_of(v, 8190)));
    volume_close(v);
    store_close(s);
}

static uint64_t first_write_signals(struct store *s)
{
    uint64_t buckets[KVMDB_LATENCY_BUCKETS];
    CHECK_EQUAL(kvmdb_pool_latency(s->pool, KVMDB_FAULT_FIRST_WRITE, buckets), 0);
    uint64_t count = 0;
    for (int i = 0; i < KVMDB_LATENCY_BUCKETS; i++)
        count += buckets[i];
    return count;
}

void expected_writes_make_clean_pages_dirty_and_leave_the_others(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 256, 12);
    volume_populate(v, 0, 256);
    CHECK_EQUAL(kvmdb_region_load(v->region, 10, 4), 0);
    page_at(v, 12)[0] = 7;
    uint64_t writes = store_counters(s).first_writes;
    CHECK_EQUAL(kvmdb_region_expect_writes(v->region, 8, 6), 2);
    CHECK_EQUAL(page_state(word_of(v, 9)), EMPTY);
    CHECK_EQUAL(page_state(word_of(v, 10)), DIRTY);
    CHECK_EQUAL(page_state(word_of(v, 13)), DIRTY);
    CHECK_EQUAL(store_counters(s).first_writes, writes + 3);
    uint64_t signals = first_write_signals(s);
    for (uint64_t lpn = 10; lpn < 14; lpn++)
        page_at(v, lpn)[0] = 7;
    CHECK_EQUAL(first_write_signals(s), signals);
    CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
    CHECK_PAGE(v, 11, 1);
    CHECK_EQUAL(kvmdb_region_expect_writes(v->region, 255, 2), -EINVAL);
    CHECK_EQUAL(kvmdb_region_expect_writes(v->region, UINT64_MAX, 2), -EINVAL);
    volume_close(v);
    store_close(s);
}

void a_page_holds_no_more_pins_than_its_word_can_count(void)
{
    struct store *s = store_open(8 * MIB);
    struct volume *v = volume_open(s, 4, 12);
    for (int i = 0; i < 0xffff; i++)
        CHECK_EQUAL(kvmdb_region_pin(v->region, 1, 1, 0), 0);
    CHECK_EQUAL(kvmdb_region_pin(v->region, 0, 2, 0), -EBUSY);
    CHECK(!page_is_pinned(word_of(v, 0)));
    for (int i = 0; i < 0xffff; i++) {
        CHECK(page_is_pinned(word_of(v, 1)));
        CHECK_EQUAL(kvmdb_region_unpin(v->region, 1, 1), 0);
    }
    CHECK(!page_is_pinned(word_of(v, 1)));
    CHECK_EQUAL(kvmdb_region_unpin(v->region, 1, 1), 0);
    CHECK_EQUAL(page_state(word_of(v, 1)), CLEAN);
    volume_close(v);
    store_close(s);
}
