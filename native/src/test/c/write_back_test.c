/* Freeze, copy out, thaw; copies aside; the overlay; rollback. */
#define _GNU_SOURCE
#include "fake_store.h"
#include "page_fill.h"
#include "kernel.h"
#include "path_reservation.h"
#include "tests.h"

#include <errno.h>
#include <string.h>

static void write_version(struct volume *v, uint64_t lpn, uint64_t version)
{
    content_write(v, lpn, version, page_at(v, lpn));
}

void a_commit_makes_dirty_pages_clean_and_they_read_back(void)
{
    for (uint32_t shift = 12; shift <= 16; shift++) {
        struct store *s = store_open(64 * MIB);
        struct volume *v = volume_open(s, 600, shift);
        volume_populate(v, 0, 300);
        for (uint64_t lpn = 0; lpn < 600; lpn += 2)
            write_version(v, lpn, 5);
        CHECK_EQUAL(commit_all(v), 300);
        CHECK_EQUAL(kvmdb_pool_dirty_bytes(s->pool), 0);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
        CHECK_EQUAL(commit_all(v), 0);
        for (uint64_t lpn = 0; lpn < 600; lpn += 2)
            evict_page(v, lpn);
        for (uint64_t lpn = 0; lpn < 600; lpn++)
            CHECK_PAGE(v, lpn, lpn % 2 == 0 ? 5 : lpn < 300 ? 1 : 0);
        volume_close(v);
        store_close(s);
    }
}

/* In memory while the shadow has room, in the spill area beyond: the commit gets what it froze. */
static void check_copies_aside(int64_t shadow_limit, uint32_t shift)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 64, shift);
    volume_populate(v, 0, 64);
    s->pool->shadow_limit_bytes = shadow_limit;
    for (uint64_t lpn = 0; lpn < 64; lpn++)
        write_version(v, lpn, 2);
    struct commit *c = commit_freeze(v, 0, 64);
    CHECK_EQUAL(c->count, 64);
    for (uint64_t lpn = 0; lpn < 64; lpn += 2)
        write_version(v, lpn, 3);
    CHECK_EQUAL(store_counters(s).copied_aside, 32);
    uint8_t *pages = malloc(64ul << shift);
    commit_copy_out(c, pages);
    for (uint64_t lpn = 0; lpn < 64; lpn++)
        CHECK_CONTENT(v, lpn, 2, pages + (lpn << shift));
    CHECK_EQUAL(atomic_load(&s->pool->shadow_bytes), 0);
    CHECK_EQUAL(atomic_load(&v->region->spill_pages), 0);
    for (uint64_t lpn = 1; lpn < 64; lpn += 4) /* the commit has its copy: nothing to set aside */
        write_version(v, lpn, 4);
    CHECK_EQUAL(store_counters(s).copied_aside, 32);
    commit_apply(c);
    commit_free(c);
    CHECK_EQUAL(kvmdb_region_dirty_pages(v->region), 48);
    for (uint64_t lpn = 0; lpn < 64; lpn++)
        CHECK_PAGE(v, lpn, lpn % 2 == 0 ? 3 : lpn % 4 == 1 ? 4 : 2);
    CHECK_EQUAL(commit_all(v), 48);
    for (uint64_t lpn = 0; lpn < 64; lpn++)
        evict_page(v, lpn);
    for (uint64_t lpn = 0; lpn < 64; lpn++)
        CHECK_PAGE(v, lpn, lpn % 2 == 0 ? 3 : lpn % 4 == 1 ? 4 : 2);
    free(pages);
    volume_close(v);
    store_close(s);
}

void a_write_to_a_frozen_page_sets_it_aside_in_memory(void)
{
    check_copies_aside(64 * MIB, 12);
    check_copies_aside(64 * MIB, 16);
}

void a_write_to_a_frozen_page_sets_it_aside_in_the_spill_area(void)
{
    check_copies_aside(0, 12);
    check_copies_aside(0, 16);
    check_copies_aside(10 * 16384, 14);
}

void a_failed_commit_leaves_everything_dirty(void)
{
    for (int aside = 0; aside < 2; aside++) {
        struct store *s = store_open(64 * MIB);
        struct volume *v = volume_open(s, 2048, 12);
        if (aside)
            s->pool->shadow_limit_bytes = 0;
        for (uint64_t lpn = 0; lpn < 2048; lpn += 3)
            write_version(v, lpn, 1);
        int64_t reserved = atomic_load(&s->space.reserved_bytes);
        struct commit *c = commit_freeze(v, 0, 2048);
        for (uint64_t lpn = 0; lpn < 2048; lpn += 6)
            write_version(v, lpn, 2);
        commit_fail(c);
        commit_free(c);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), reserved);
        CHECK_EQUAL(kvmdb_region_dirty_pages(v->region), 683);
        CHECK_EQUAL(atomic_load(&s->pool->shadow_bytes), 0);
        CHECK_EQUAL(atomic_load(&v->region->spill_pages), 0);
        CHECK_EQUAL(commit_all(v), 683);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
        for (uint64_t lpn = 0; lpn < 2048; lpn += 3) {
            evict_page(v, lpn);
            CHECK_PAGE(v, lpn, lpn % 2 ? 1 : 2);
        }
        volume_close(v);
        store_close(s);
    }
}

/* The next freeze may begin when the copy-out of this one is complete, before this one is thawed. */
void a_commit_that_fails_late_leaves_the_next_ones_copies_alone(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 4, 12);
    write_version(v, 0, 1);
    write_version(v, 1, 1);
    write_version(v, 2, 1);
    struct commit *first = commit_freeze(v, 0, 4);
    commit_copy_out(first, NULL);
    write_version(v, 0, 2);
    write_version(v, 1, 2);
    struct commit *second = commit_freeze(v, 0, 4);
    CHECK_EQUAL(second->count, 2);
    write_version(v, 0, 3);
    commit_fail(first);
    uint8_t pages[2 * 4096];
    commit_copy_out(second, pages);
    CHECK_CONTENT(v, 0, 2, pages);
    CHECK_CONTENT(v, 1, 2, pages + 4096);
    commit_apply(second);
    CHECK_EQUAL(commit_all(v), 2);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
    evict_page(v, 0);
    evict_page(v, 2);
    CHECK_PAGE(v, 0, 3);
    CHECK_PAGE(v, 2, 1);
    commit_free(first);
    commit_free(second);
    volume_close(v);
    store_close(s);
}

void a_freeze_in_pieces_finds_every_page_once(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 5000, 12);
    for (uint64_t lpn = 0; lpn < 5000; lpn += 1 + lpn % 7)
        write_version(v, lpn, 1);
    int64_t dirty = kvmdb_region_dirty_pages(v->region);
    struct kvmdb_freeze freeze = {0};
    uint64_t lpns[5000];
    int64_t count = 0;
    uint64_t epoch = 0;
    while (freeze.cursor != UINT64_MAX) {
        int64_t n = kvmdb_region_freeze(v->region, &freeze, lpns + count, 77);
        CHECK_AT_MOST(n, 77);
        CHECK(epoch == 0 || freeze.epoch == epoch);
        epoch = freeze.epoch;
        count += n;
    }
    CHECK_EQUAL(count, dirty);
    for (int64_t i = 1; i < count; i++)
        CHECK(lpns[i - 1] < lpns[i]);
    uint8_t page[4096];
    CHECK_EQUAL(kvmdb_region_copy_out(v->region, (int64_t)epoch + 1, lpns, 1, page), -ESTALE);
    CHECK_EQUAL(kvmdb_region_thaw(v->region, (int64_t)epoch, lpns, count, 1), 0);
    kvmdb_space_release(&s->space, (int64_t)freeze.path_reserved_bytes);
    volume_close(v);
    store_close(s);
}

void rollback_returns_to_the_last_commit(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 256, 12);
    volume_populate(v, 0, 200);
    for (uint64_t lpn = 0; lpn < 256; lpn += 2)
        write_version(v, lpn, 2);
    CHECK_EQUAL(commit_all(v), 128);
    for (uint64_t lpn = 0; lpn < 256; lpn += 3)
        write_version(v, lpn, 3);
    spill_page_at(v, 3);
    CHECK_EQUAL(steal_some(v, 20), 20);
    for (uint64_t lpn = 0; lpn < 30; lpn += 3)
        write_version(v, lpn, 4);
    CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
    CHECK_EQUAL(kvmdb_pool_dirty_bytes(s->pool), 0);
    CHECK_EQUAL(atomic_load(&v->region->spill_pages), 0);
    CHECK_EQUAL(page_bitmap_next(&v->region->stolen, 0), PAGE_BITMAP_END);
    for (uint64_t lpn = 0; lpn < 256; lpn++)
        CHECK_PAGE(v, lpn, lpn % 2 == 0 ? 2 : lpn < 200 ? 1 : 0);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    volume_close(v);
    store_close(s);
}

void stolen_pages_are_read_from_the_overlay_until_the_commit(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 64, 12);
    volume_populate(v, 0, 64);
    for (uint64_t lpn = 0; lpn < 32; lpn++)
        write_version(v, lpn, 2);
    CHECK_EQUAL(steal_some(v, 16), 16);
    for (uint64_t lpn = 0; lpn < 16; lpn++) {
        evict_page(v, lpn);
        CHECK_PAGE(v, lpn, 2);
    }
    uint64_t before = map_get(v, 0);
    write_version(v, 0, 3);
    CHECK_EQUAL(steal_some(v, 1), 1); /* steals page 0 again: the old block was superseded */
    evict_page(v, 0);
    CHECK_PAGE(v, 0, 3);
    CHECK_EQUAL(map_get(v, 0), before);
    CHECK_EQUAL(commit_all(v), 16);
    CHECK(map_get(v, 0) != before);
    uint64_t lpn, ppn;
    CHECK_EQUAL(kvmdb_region_stolen(v->region, 0, &lpn, &ppn, 1), 0);
    for (lpn = 0; lpn < 64; lpn++) {
        if (lpn < 32)
            evict_page(v, lpn);
        CHECK_PAGE(v, lpn, lpn == 0 ? 3 : lpn < 32 ? 2 : 1);
    }
    volume_close(v);
    store_close(s);
}

void an_overlay_entry_that_changed_stays_when_the_old_one_is_taken_out(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 64, 12);
    uint64_t lpns[2] = {5, 6}, ppns[2] = {640, 704}, listed[2];
    CHECK_EQUAL(kvmdb_region_steal(v->region, lpns, ppns, 2), 0);
    CHECK_EQUAL(ppns[0], 0);
    CHECK_EQUAL(kvmdb_region_stolen(v->region, 0, lpns, listed, 2), 2);
    CHECK_EQUAL(listed[0], 640);
    uint64_t newer = 768;
    CHECK_EQUAL(kvmdb_region_steal(v->region, lpns, &newer, 1), 0);
    CHECK_EQUAL(newer, 640);
    CHECK_EQUAL(kvmdb_region_unsteal(v->region, lpns, listed, 2), 0);
    CHECK_EQUAL(kvmdb_region_stolen(v->region, 0, lpns, listed, 2), 1);
    CHECK_EQUAL(lpns[0], 5);
    CHECK_EQUAL(listed[0], 768);
    CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
    volume_close(v);
    store_close(s);
}

/* A freeze that fails on the way tells what it froze before. */
void a_freeze_that_fails_returns_what_it_froze(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 512, 12);
    for (uint64_t lpn = 0; lpn < 512; lpn++)
        write_version(v, lpn, 1);
    CHECK_EQUAL(kernel_unregister(s->pool->uffd, page_at(v, 300), 4096), 0);
    struct kvmdb_freeze freeze = {0};
    uint64_t lpns[512];
    int64_t frozen = kvmdb_region_freeze(v->region, &freeze, lpns, 512);
    CHECK_EQUAL(frozen, 256);
    CHECK_LESS(kvmdb_region_freeze(v->region, &freeze, lpns + frozen, 512 - frozen), 0);
    CHECK_EQUAL(kvmdb_region_thaw(v->region, (int64_t)freeze.epoch, lpns, frozen, 1), 0);
    kvmdb_space_release(&s->space, (int64_t)freeze.path_reserved_bytes);
    for (uint64_t lpn = 0; lpn < 512; lpn++) {
        CHECK_EQUAL(page_state(word_of(v, lpn)), DIRTY);
        if (lpn != 300)
            write_version(v, lpn, 2);
    }
    volume_close(v);
    store_close(s);
}

/* The content of all pages as one version, in the log: what a large write appends before it places it. */
static void append_version(struct volume *v, const uint64_t *lpns, uint64_t *ppns, int64_t count, uint64_t version)
{
    uint8_t page[4096];
    for (int64_t i = 0; i < count; i++) {
        content_write(v, lpns[i], version, page);
        ppns[i] = store_append(v->store, v, lpns[i], page, CODEC_BY_LPN);
    }
}

/* Of a region of 4 KiB pages that may grow to 16 GiB: 16 nodes above the leaves, and one of each level above these. */
static int64_t nodes_of(int64_t groups)
{
    return groups ? groups + (groups < 16 ? groups : 16) + 2 : 0;
}

/* Whatever becomes of the pages that were not stolen with them. */
void stolen_pages_keep_whole_paths(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 32 * 512, 12);
    for (uint64_t group = 0; group < 20; group++)
        write_version(v, group * 512, 1);
    CHECK_EQUAL(steal_some(v, 6), 6);
    CHECK_EQUAL(kvmdb_region_resize(v->region, 6ull * 512 << 12), 0);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), nodes_of(6) * KVMDB_NODE_RESERVATION_BYTES);
    CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
    volume_close(v);
    store_close(s);
}

/* As many nodes above the leaves are kept as there can be, not a path for each group; however groups come and go. */
void groups_share_what_is_kept_for_the_nodes_above_them(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 32 * 512, 12);
    const int64_t page = v->region->page_reservation_bytes, node = KVMDB_NODE_RESERVATION_BYTES;
    for (int64_t groups = 1; groups <= 20; groups++) {
        write_version(v, (uint64_t)(groups - 1) * 512, 1);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), groups * page + nodes_of(groups) * node);
    }
    struct commit *c = commit_freeze(v, KVMDB_FREEZE_TO_STEAL, 6);
    CHECK_EQUAL(c->freeze.path_reserved_bytes, nodes_of(6) * node);
    commit_fail(c);
    commit_free(c);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 20 * page + nodes_of(20) * node);
    CHECK_EQUAL(steal_some(v, 6), 6);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 14 * page + (nodes_of(14) + nodes_of(6)) * node); /* the paths of both */
    c = commit_freeze(v, 0, 4096);
    CHECK_EQUAL(c->freeze.path_reserved_bytes, nodes_of(14) * node);
    write_version(v, 0, 2); /* the next commit's: a path of its own */
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 15 * page + (nodes_of(14) + nodes_of(6) + nodes_of(1)) * node);
    commit_copy_out(c, NULL);
    commit_apply(c);
    commit_free(c);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), page + nodes_of(1) * node);
    write_version(v, 4095, 2);
    CHECK_EQUAL(kvmdb_region_resize(v->region, 512 << 12), 0);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), page + nodes_of(1) * node);
    CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
    volume_close(v);
    store_close(s);
}

/* Between the look at what its group holds and its becoming dirty, the other page of the group is committed. */
void a_page_whose_group_is_committed_while_it_is_read_holds_a_path(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 512, 12);
    const int64_t page = v->region->page_reservation_bytes, node = KVMDB_NODE_RESERVATION_BYTES;
    write_version(v, 1, 1);
    uint64_t word = page_lock(&v->region->words[2]);
    CHECK_EQUAL(reserve_for_page(v->region, 2), 0);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 2 * page + nodes_of(1) * node);
    CHECK_EQUAL(commit_all(v), 1);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), page);
    struct bad_page bad;
    CHECK_EQUAL(fill_pages(v->region, 2, word, 1, true, ALL_PARTS, &bad), 1);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), page + nodes_of(1) * node);
    write_version(v, 2, 1);
    CHECK_EQUAL(commit_all(v), 1);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
    volume_close(v);
    store_close(s);
}

/* A group is frozen in pieces, and a page that was frozen is written between them. */
void a_page_written_behind_a_freeze_at_work_in_its_group_holds_a_path(void)
{
    for (int64_t piece = 100; piece <= 300; piece += 100) {
        struct store *s = store_open(64 * MIB);
        struct volume *v = volume_open(s, 512, 12);
        const int64_t page = v->region->page_reservation_bytes, node = KVMDB_NODE_RESERVATION_BYTES;
        for (uint64_t lpn = 1; lpn <= 300; lpn++)
            write_version(v, lpn, 1);
        struct kvmdb_freeze freeze = {0};
        uint64_t lpns[512];
        int64_t count = kvmdb_region_freeze(v->region, &freeze, lpns, piece);
        CHECK_EQUAL(count, piece);
        write_version(v, 1, 2);
        while (freeze.cursor != PAGE_BITMAP_END)
            count += kvmdb_region_freeze(v->region, &freeze, lpns + count, 512 - count);
        CHECK_EQUAL(count, 300);
        CHECK_EQUAL(kvmdb_region_thaw(v->region, (int64_t)freeze.epoch, lpns, count, 0), 0);
        kvmdb_space_release(&s->space, (int64_t)(freeze.page_reserved_bytes + freeze.path_reserved_bytes));
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), page + nodes_of(1) * node);
        CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
        volume_close(v);
        store_close(s);
    }
}

void a_range_reserves_every_node_above_it_once(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 4096, 12);
    static const struct {
        int64_t lpn, count, nodes;
    } ranges[] = {{0, 1, 4}, {0, 512, 4}, {511, 2, 5}, {500, 600, 6}, {0, 4096, 11}};
    uint64_t lpns[4096];
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        struct kvmdb_freeze reserved = {0};
        CHECK_EQUAL(kvmdb_region_reserve_missing(v->region, (uint64_t)ranges[i].lpn, ranges[i].count, lpns, &reserved), ranges[i].count);
        CHECK_EQUAL(reserved.path_reserved_bytes, ranges[i].nodes * KVMDB_NODE_RESERVATION_BYTES);
        kvmdb_space_release(&s->space, (int64_t)(reserved.page_reserved_bytes + reserved.path_reserved_bytes));
    }
    /* A range across the nodes of all levels but the root. */
    CHECK_EQUAL(path_reservation_of_range((1ull << 27) - 1, 2), 7 * KVMDB_NODE_RESERVATION_BYTES);
    volume_close(v);
    store_close(s);
}

static int64_t reserve_missing(struct volume *v, uint64_t *lpns)
{
    struct kvmdb_freeze reserved = {0};
    int64_t before = atomic_load(&v->store->space.reserved_bytes);
    int64_t missing = kvmdb_region_reserve_missing(v->region, 0, (int64_t)v->pages, lpns, &reserved);
    int64_t after = atomic_load(&v->store->space.reserved_bytes);
    CHECK_EQUAL(reserved.page_reserved_bytes, missing * v->region->page_reservation_bytes);
    CHECK_EQUAL(after - before, reserved.page_reserved_bytes + reserved.path_reserved_bytes);
    kvmdb_space_release(&v->store->space, (int64_t)reserved.page_reserved_bytes);
    v->path_bytes_kept += (int64_t)reserved.path_reserved_bytes;
    return missing;
}

/* Of 100 pages the first 50 are what they were stored as, and the others holes. */
static void check_nothing_is_placed(struct volume *v)
{
    CHECK_EQUAL(page_bitmap_next(&v->region->stolen, 0), PAGE_BITMAP_END);
    for (uint64_t lpn = 0; lpn < 100; lpn++)
        CHECK_PAGE(v, lpn, lpn < 50 ? 1 : 0);
}

/* Those that came into memory between the two calls keep what they hold there, be it written or read. */
void pages_that_are_not_in_memory_are_placed_and_the_others_left(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 200, 12);
    volume_populate(v, 0, 100);
    CHECK_EQUAL(kvmdb_region_load(v->region, 1, 1), 0); /* a fault might bring neighbours, too */
    CHECK_EQUAL(kvmdb_region_load(v->region, 150, 1), 0);
    write_version(v, 150, 2);
    uint64_t lpns[200], ppns[200], appended[200], placed[4] = {0};
    CHECK_EQUAL(reserve_missing(v, lpns), 198);
    CHECK_EQUAL(lpns[0], 0);
    CHECK_EQUAL(lpns[1], 2);
    CHECK_EQUAL(lpns[197], 199);
    append_version(v, lpns, ppns, 198, 5);
    memcpy(appended, ppns, sizeof ppns);
    CHECK_EQUAL(kvmdb_region_load(v->region, 70, 1), 0);
    CHECK_EQUAL(kvmdb_region_load(v->region, 140, 1), 0);
    write_version(v, 140, 3);
    CHECK_EQUAL(kvmdb_region_place(v->region, lpns, ppns, 198, placed), 0);
    for (int64_t i = 0; i < 198; i++) {
        bool came = lpns[i] == 70 || lpns[i] == 140;
        CHECK_EQUAL(placed[i / 64] >> i % 64 & 1, !came);
        CHECK_EQUAL(ppns[i], came ? appended[i] : 0);
    }
    CHECK_EQUAL(placed[3] >> 198 % 64, 0);
    for (int committed = 0; committed < 2; committed++) {
        for (uint64_t lpn = 0; lpn < 200; lpn++)
            CHECK_PAGE(v, lpn, lpn == 1 || lpn == 70 ? 1 : lpn == 150 ? 2 : lpn == 140 ? 3 : 5);
        CHECK_EQUAL(commit_all(v), committed ? 0 : 2);
        for (uint64_t lpn = 0; lpn < 200; lpn++)
            evict_page(v, lpn);
    }
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
    volume_close(v);
    store_close(s);
}

void a_page_that_is_placed_again_returns_its_first_block_and_a_rollback_drops_it(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 100, 12);
    volume_populate(v, 0, 50);
    uint64_t lpns[100], first[100], second[100], placed[2] = {0};
    CHECK_EQUAL(reserve_missing(v, lpns), 100);
    append_version(v, lpns, first, 100, 5);
    append_version(v, lpns, second, 100, 6);
    uint64_t expected = first[7];
    CHECK_EQUAL(kvmdb_region_place(v->region, lpns, first, 100, placed), 0);
    CHECK_EQUAL(kvmdb_region_place(v->region, lpns, second, 100, placed), 0);
    CHECK_EQUAL(second[7], expected);
    CHECK_PAGE(v, 7, 6);
    CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
    check_nothing_is_placed(v);
    volume_close(v);
    store_close(s);
}

/* No fault has touched them: that they were placed must be enough for the walk to find them. */
void placed_pages_go_when_the_content_is_replaced(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 100, 12);
    volume_populate(v, 0, 50);
    uint64_t lpns[100], ppns[100], placed[2] = {0};
    CHECK_EQUAL(reserve_missing(v, lpns), 100);
    append_version(v, lpns, ppns, 100, 5);
    CHECK_EQUAL(kvmdb_region_place(v->region, lpns, ppns, 100, placed), 0);
    CHECK_EQUAL(kvmdb_region_replace(v->region, 100 * 4096), 0);
    check_nothing_is_placed(v);
    volume_close(v);
    store_close(s);
}

void nothing_is_reserved_for_missing_pages_that_there_is_no_space_for(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 100, 12);
    store_set_free(s, 50 * 4096);
    uint64_t lpns[100];
    struct kvmdb_freeze reserved = {0};
    CHECK_EQUAL(kvmdb_region_reserve_missing(v->region, 0, 100, lpns, &reserved), -ENOSPC);
    CHECK_EQUAL(reserved.page_reserved_bytes + reserved.path_reserved_bytes, 0);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
    volume_close(v);
    store_close(s);
}
