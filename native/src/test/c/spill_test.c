/* Dirty pages that left memory: however they come back, they come back right. */
#define _GNU_SOURCE
#include "fake_store.h"
#include "tests.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct store *s;
static struct volume *v;

/* Page 1 is dirty with version 2 and out, over version 1 in the log. */
static void begin(uint32_t shift)
{
    s = store_open(64 * MIB);
    v = volume_open(s, 8, shift);
    volume_populate(v, 0, 8);
    content_write(v, 1, 2, page_at(v, 1));
    spill_page_at(v, 1);
    CHECK_EQUAL(kvmdb_pool_dirty_bytes(s->pool), 0);
    CHECK_EQUAL(atomic_load(&v->region->spill_pages), 1);
}

static void end(uint64_t version)
{
    commit_all(v);
    CHECK_EQUAL(atomic_load(&v->region->spill_pages), 0);
    CHECK_EQUAL(kvmdb_region_trim_spill(v->region), 0);
    CHECK_EQUAL(kvmdb_file_size(v->region->spill_fd), 0);
    CHECK_EQUAL(kvmdb_pool_dirty_bytes(s->pool), 0);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
    CHECK_PAGE(v, 1, version);
    evict_page(v, 1);
    CHECK_PAGE(v, 1, version);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    volume_close(v);
    store_close(s);
}

static void check_frozen_copy(struct commit *c, uint64_t version)
{
    uint8_t *page = malloc(v->bytes);
    CHECK_EQUAL(c->count, 1);
    commit_copy_out(c, page);
    CHECK_CONTENT(v, 1, version, page);
    free(page);
}

void a_spilled_page_comes_back_by_a_read_or_a_write(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 2) {
        begin(shift);
        CHECK_PAGE(v, 1, 2);
        CHECK_EQUAL(page_state(word_of(v, 1)), DIRTY);
        CHECK_EQUAL(kvmdb_pool_dirty_bytes(s->pool), v->bytes);
        end(2);
        begin(shift);
        page_at(v, 1)[v->bytes - 1] ^= 1;
        page_at(v, 1)[v->bytes - 1] ^= 1;
        CHECK_PAGE(v, 1, 2);
        end(2);
    }
}

void a_spilled_page_is_committed_from_the_spill_area(void)
{
    begin(12);
    end(2);
}

/* How the file loses a page: its read, or its write, goes wrong. */
static const struct loss {
    uint64_t operations;
    enum kvmdb_effect effect;
    int64_t value;
    int error;
} losses[] = {
    {1ull << KVMDB_READ_CACHED | 1ull << KVMDB_READ, KVMDB_EFFECT_ERROR, EIO, EIO},
    {1ull << KVMDB_READ_CACHED | 1ull << KVMDB_READ, KVMDB_EFFECT_FLIP, 12345, EBADMSG},
    {1ull << KVMDB_READ_CACHED | 1ull << KVMDB_READ, KVMDB_EFFECT_SHORT, 0, EIO},
    {1ull << KVMDB_WRITE, KVMDB_EFFECT_MISPLACE, -4096, EIO},
    {1ull << KVMDB_WRITE, KVMDB_EFFECT_MISPLACE, 4096, EBADMSG},
    {1ull << KVMDB_WRITE, KVMDB_EFFECT_SKIP, 0, EIO},
};
#define LOSSES (sizeof losses / sizeof *losses)

static void begin_with(const struct loss *loss)
{
    const struct kvmdb_fault_rule rules[] = {
        {.operations = 1ull << KVMDB_READ_SUBMIT, .effect = KVMDB_EFFECT_ERROR, .value = EAGAIN},
        {.operations = loss->operations, .files = KVMDB_FILES_UNNAMED, .effect = loss->effect, .value = loss->value},
    };
    s = store_open(64 * MIB);
    v = volume_open(s, 8, 12);
    volume_populate(v, 0, 8);
    content_write(v, 1, 2, page_at(v, 1));
    CHECK_EQUAL(kvmdb_faults_arm(rules, 2), 0);
    spill_page_at(v, 1);
}

void a_spilled_page_that_does_not_come_back_is_bad(void)
{
    for (unsigned i = 0; i < LOSSES; i++) {
        begin_with(&losses[i]);
        CHECK_EQUAL(*(volatile uint64_t *)page_at(v, 1), 0);
        CHECK_EQUAL(last_bad_page(v).cause, KVMDB_BAD_SPILL);
        CHECK_EQUAL(last_bad_page(v).detail, losses[i].error);
        CHECK_EQUAL(last_bad_page(v).lpn, 1);
        kvmdb_faults_disarm();
        CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
        CHECK_EQUAL(kvmdb_region_unpoison(v->region), 1);
        CHECK_PAGE(v, 1, 1);
        CHECK_EQUAL(atomic_load(&v->region->spill_pages), 0);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
        volume_close(v);
        store_close(s);
    }
}

void a_spilled_page_that_does_not_come_back_is_not_committed(void)
{
    for (unsigned i = 0; i < LOSSES; i++) {
        begin_with(&losses[i]);
        struct commit *c = commit_freeze(v, 0, 100);
        CHECK_EQUAL(c->count, 1);
        uint8_t page[4096];
        CHECK_EQUAL(kvmdb_region_copy_out(v->region, (int64_t)c->freeze.epoch, c->lpns, 1, page), -losses[i].error);
        commit_fail(c);
        commit_free(c);
        kvmdb_faults_disarm();
        CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
        CHECK_PAGE(v, 1, 1);
        CHECK_EQUAL(atomic_load(&v->region->spill_pages), 0);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
        volume_close(v);
        store_close(s);
    }
}

void a_page_that_cannot_be_spilled_stays(void)
{
    begin(12);
    CHECK_PAGE(v, 1, 2);
    refuse_forever(1ull << KVMDB_WRITE, ENOSPC);
    s->pool->dirty_limit_bytes = -1;
    make_room_for_dirty(s->pool);
    CHECK_EQUAL(kvmdb_faults_hits(0), 1);
    CHECK_EQUAL(page_state(word_of(v, 1)), DIRTY);
    CHECK_EQUAL(atomic_load(&v->region->spill_pages), 0);
    CHECK_PAGE(v, 1, 2);
    content_write(v, 1, 3, page_at(v, 1));
    kvmdb_faults_disarm();
    end(3);
}

void a_spilled_page_may_be_pinned(void)
{
    begin(14);
    CHECK_EQUAL(kvmdb_region_pin(v->region, 1, 1, 1), 0);
    CHECK_PAGE(v, 1, 2);
    CHECK_EQUAL(kvmdb_region_unpin(v->region, 1, 1), 0);
    end(2);
}

void a_page_frozen_while_it_was_out_is_read(void)
{
    for (int late = 0; late < 2; late++) {
        begin(12);
        struct commit *c = commit_freeze(v, 0, 8);
        if (late)
            check_frozen_copy(c, 2);
        CHECK_PAGE(v, 1, 2);
        CHECK_EQUAL(page_state(word_of(v, 1)), FROZEN);
        if (!late)
            check_frozen_copy(c, 2);
        commit_apply(c);
        commit_free(c);
        end(2);
    }
}

void a_page_frozen_while_it_was_out_is_written(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 4) {
        for (int late = 0; late < 2; late++) {
            begin(shift);
            struct commit *c = commit_freeze(v, 0, 8);
            if (late)
                check_frozen_copy(c, 2);
            content_write(v, 1, 3, page_at(v, 1));
            CHECK_EQUAL(page_state(word_of(v, 1)), DIRTY);
            if (!late)
                check_frozen_copy(c, 2);
            commit_apply(c);
            commit_free(c);
            CHECK_EQUAL(word_of(v, 1) & PAGE_ASIDE, 0);
            end(3);
        }
    }
}

/* What the first commit left in the spill area must not be taken for the copy aside of the second. */
void a_page_frozen_out_is_read_then_written_over_two_commits(void)
{
    for (int late = 0; late < 2; late++) {
        begin(12);
        struct commit *c = commit_freeze(v, 0, 8);
        if (late)
            check_frozen_copy(c, 2);
        CHECK_PAGE(v, 1, 2);
        if (!late)
            check_frozen_copy(c, 2);
        content_write(v, 1, 3, page_at(v, 1));
        commit_apply(c);
        commit_free(c);
        c = commit_freeze(v, 0, 8);
        content_write(v, 1, 4, page_at(v, 1));
        check_frozen_copy(c, 3);
        commit_apply(c);
        commit_free(c);
        end(4);
    }
}

void a_page_frozen_out_is_dirty_again_when_the_commit_fails(void)
{
    for (int touch = 0; touch < 3; touch++) {
        begin(12);
        struct commit *c = commit_freeze(v, 0, 8);
        if (touch == 1)
            CHECK_PAGE(v, 1, 2);
        if (touch == 2)
            content_write(v, 1, 3, page_at(v, 1));
        commit_fail(c);
        commit_free(c);
        CHECK_EQUAL(page_state(word_of(v, 1)), DIRTY);
        CHECK_PAGE(v, 1, touch == 2 ? 3 : 2);
        end(touch == 2 ? 3 : 2);
    }
}

void a_transaction_larger_than_memory_goes_through_the_spill_area(void)
{
    s = store_open(8 * MIB);
    v = volume_open(s, 8192, 12);
    for (uint64_t lpn = 0; lpn < 8192; lpn++)
        content_write(v, lpn, 1, page_at(v, lpn));
    CHECK_AT_MOST(kvmdb_pool_resident_bytes(s->pool), 8 * MIB);
    CHECK_AT_MOST(kvmdb_pool_dirty_bytes(s->pool), s->pool->dirty_limit_bytes + 64 * 4096);
    CHECK_LESS(4000, store_counters(s).spilled_pages);
    for (uint64_t lpn = 0; lpn < 8192; lpn += 3)
        content_write(v, lpn, 2, page_at(v, lpn));
    CHECK_EQUAL(commit_all(v), 8192);
    for (uint64_t lpn = 8192; lpn-- > 0;)
        CHECK_PAGE(v, lpn, lpn % 3 ? 1 : 2);
    CHECK_AT_MOST(kvmdb_pool_resident_bytes(s->pool), 8 * MIB);
    /* Pages that were dirty all the time must have found their way into the eviction queues. */
    evict_down_to(s, s->pool->evict_low_bytes);
    CHECK_AT_MOST(kvmdb_pool_resident_bytes(s->pool), s->pool->evict_low_bytes);
    CHECK_EQUAL(store_counters(s).overshoots, 0);
    volume_close(v);
    store_close(s);
}

/* A queue that ran full leaves pages out; they must not stay in memory for ever. */
void pages_that_found_no_place_in_a_queue_are_evicted_all_the_same(void)
{
    s = store_open(4 * MIB);
    v = volume_open(s, 8192, 12);
    for (uint64_t lpn = 0; lpn < 8192; lpn++)
        content_write(v, lpn, 1, page_at(v, lpn));
    CHECK_EQUAL(commit_all(v), 8192);
    for (int rounds = 0; rounds < 3; rounds++)
        evict_down_to(s, 0);
    for (uint64_t lpn = 0; lpn < 8192; lpn++)
        CHECK_EQUAL(page_state(word_of(v, lpn)), EMPTY);
    CHECK(atomic_load(&s->pool->unqueued) == 0);
    for (uint64_t lpn = 0; lpn < 8192; lpn++)
        CHECK_PAGE(v, lpn, 1);
    volume_close(v);
    store_close(s);
}

/* Brings in a page that went so many evictions ago. Returns whether that was taken for soon. */
static bool is_hot_after(uint64_t lpn, uint64_t evictions)
{
    uint32_t now = 1u << 20;
    atomic_store(&s->pool->eviction_clock, now);
    atomic_store(&v->region->words[lpn], page_with_stamp(EMPTY, now - (uint32_t)evictions));
    uint64_t hits = store_counters(s).ghost_hits;
    CHECK_EQUAL(kvmdb_region_load(v->region, lpn, 1), 0);
    bool hot = word_of(v, lpn) & PAGE_HOT;
    CHECK_EQUAL(store_counters(s).ghost_hits, hits + hot);
    return hot;
}

/* The length of the frames' memory of what they evicted; kvmdb bench policy says why it is this one. */
void a_page_is_hot_when_it_comes_back_within_a_quarter_of_the_pages_kept(void)
{
    s = store_open(64 * MIB);
    v = volume_open(s, 1000, 12);
    volume_populate(v, 0, 1000);
    CHECK_EQUAL(kvmdb_region_load(v->region, 0, 400), 0);
    for (uint64_t kept = 400; kept < 500; kept += 2) {
        CHECK(is_hot_after(kept, kept / 4));
        CHECK(!is_hot_after(kept + 1, (kept + 1) / 4 + 1));
    }
    CHECK_EQUAL(atomic_load(&s->pool->main.tail) - atomic_load(&s->pool->main.head), 50);
    volume_close(v);
    store_close(s);
}
