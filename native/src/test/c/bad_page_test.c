/* Pages that cannot be had: recorded before the access goes on, zeros for native code, another try afterwards. */
#define _GNU_SOURCE
#include "fake_store.h"
#include "idle_faults.h"
#include "kernel.h"
#include "tests.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static void flip_bit(struct store *s, uint64_t ppn, uint32_t byte)
{
    uint8_t block[KVMDB_PAGE_BYTES_MAX + 256];
    store_read_block(s, ppn, block)[byte] ^= 0x10;
    store_write_block(s, ppn, block);
}

void a_flipped_bit_is_recorded_and_reads_as_zeros_until_unpoisoned(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 4) {
        struct store *s = store_open(16 * MIB);
        struct volume *v = volume_open(s, 16, shift);
        volume_populate(v, 0, 16);
        flip_bit(s, map_get(v, 6), 40);
        uint64_t first = *(volatile uint64_t *)page_at(v, 6);
        CHECK_EQUAL(first, 0);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 1);
        struct kvmdb_bad_page bad = last_bad_page(v);
        CHECK_EQUAL(bad.cause, KVMDB_BAD_CHECKSUM);
        CHECK_EQUAL(bad.lpn, 6);
        CHECK_EQUAL(bad.ppn, map_get(v, 6));
        CHECK_EQUAL(bad.thread, gettid());
        CHECK_PAGE(v, 6, 0);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 1);
        CHECK_EQUAL(kvmdb_region_load(v->region, 6, 1), -EIO);
        CHECK_EQUAL(kvmdb_region_pin(v->region, 6, 1, 0), -EIO);
        CHECK_EQUAL(kvmdb_region_unpoison(v->region), 1);
        CHECK_PAGE(v, 6, 0);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 2);
        flip_bit(s, map_get(v, 6), 40);
        CHECK_EQUAL(kvmdb_region_unpoison(v->region), 1);
        CHECK_PAGE(v, 6, 1);
        CHECK_EQUAL(kvmdb_region_unpoison(v->region), 0);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 2);
        CHECK_EQUAL(kvmdb_region_bad_page(v->region, 3, &bad), -ENOENT);
        CHECK_EQUAL(kvmdb_region_bad_page(v->region, 0, &bad), -ENOENT);
        volume_close(v);
        store_close(s);
    }
}

void a_bad_neighbour_does_not_harm_the_page_that_was_asked_for(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 64, 12);
    volume_populate(v, 0, 64);
    flip_bit(s, map_get(v, 13), 17);
    for (uint64_t lpn = 0; lpn < 64; lpn++)
        CHECK_PAGE(v, lpn, lpn == 13 ? 0 : 1);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 1);
    volume_close(v);
    store_close(s);
}

static void check_cause(struct volume *v, uint64_t lpn, uint64_t ppn, enum kvmdb_bad_cause cause)
{
    map_set(v, lpn, ppn);
    int64_t before = kvmdb_region_bad_count(v->region);
    CHECK_EQUAL(*(volatile uint64_t *)page_at(v, lpn), 0);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), before + 1);
    CHECK_EQUAL(last_bad_page(v).cause, cause);
    CHECK_EQUAL(last_bad_page(v).lpn, lpn);
}

void every_way_to_be_bad_has_its_cause(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 64, 12);
    struct volume *other = volume_open(s, 64, 13);
    volume_populate(v, 0, 16);
    volume_populate(other, 0, 1);
    uint64_t ppn = map_get(v, 1);
    check_cause(v, 20, map_get(v, 2), KVMDB_BAD_CHECKSUM);              /* another page's block */
    check_cause(v, 21, map_get(other, 0), KVMDB_BAD_CHECKSUM);          /* another volume's */
    check_cause(v, 22, ppn | 0xffffffful << PPN_SEGMENT_SHIFT, KVMDB_BAD_MAP);
    check_cause(v, 23, ppn & ~(0x7fful << PPN_LENGTH_SHIFT), KVMDB_BAD_MAP); /* no length */
    check_cause(v, 24, ppn | 0x7fful << PPN_LENGTH_SHIFT, KVMDB_BAD_MAP);    /* longer than any block */
    check_cause(v, 25, (SEGMENTS - 1ul) << PPN_SEGMENT_SHIFT | 65ul << PPN_LENGTH_SHIFT, KVMDB_BAD_READ); /* end of file */
    s->segments[9].device_index = 3;
    check_cause(v, 26, 9ul << PPN_SEGMENT_SHIFT | 65ul << PPN_LENGTH_SHIFT, KVMDB_BAD_MAP);
    /* The checksum is right, but it is a page of another size. */
    other->family = v->family;
    uint8_t page[8192] = {1};
    check_cause(v, 27, store_append(s, other, 27, page, CODEC_LZ4), KVMDB_BAD_CONTENT);
    volume_close(v);
    volume_close(other);
    store_close(s);
}

/* Found by review: a map entry without a length, behind a good page, sent the checksum over 4 GiB. */
void a_neighbour_without_a_length_is_not_read(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 16, 12);
    volume_populate(v, 0, 2);
    uint64_t ppn = map_get(v, 1);
    uint64_t behind = ppn_offset_bytes(ppn) + ppn_length_bytes(ppn);
    map_set(v, 2, (behind >> PPN_UNIT_SHIFT) << PPN_OFFSET_SHIFT);
    CHECK_EQUAL(kvmdb_region_load(v->region, 0, 2), 0);
    CHECK_PAGE(v, 0, 1);
    evict_page(v, 0);
    evict_page(v, 1);
    CHECK_EQUAL(kvmdb_region_prefetch(v->region, 0, 16), -EIO);
    CHECK_PAGE(v, 1, 1);
    volume_close(v);
    store_close(s);
}

void a_map_that_leads_nowhere_is_bad_and_not_followed(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 16, 12);
    map_set(v, 0, 64);
    uint64_t leaf_parent = s->nodes[v->root * 512] >> 1;
    s->nodes[leaf_parent * 512] = (uint64_t)NODES << 1 | 1; /* beyond the arena */
    CHECK_EQUAL(*(volatile uint64_t *)page_at(v, 0), 0);
    CHECK_EQUAL(last_bad_page(v).cause, KVMDB_BAD_MAP);
    s->nodes[leaf_parent * 512] = 2; /* not the form of an inner entry */
    CHECK_EQUAL(*(volatile uint64_t *)page_at(v, 1), 0);
    CHECK_EQUAL(last_bad_page(v).cause, KVMDB_BAD_MAP);
    volume_close(v);
    store_close(s);
}

void an_access_beyond_the_end_is_recorded(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 16, 12);
    CHECK_EQUAL(*(volatile uint64_t *)page_at(v, 16), 0);
    CHECK_EQUAL(last_bad_page(v).cause, KVMDB_BAD_BEYOND_END);
    *(volatile uint64_t *)page_at(v, 17) = 1;
    CHECK_EQUAL(last_bad_page(v).cause, KVMDB_BAD_BEYOND_END);
    CHECK_EQUAL(last_bad_page(v).lpn, 17);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 2);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
    volume_close(v);
    store_close(s);
}

void only_so_many_errors_are_kept(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 16, 12);
    for (uint64_t lpn = 16; lpn < 116; lpn++)
        CHECK_EQUAL(*(volatile uint64_t *)page_at(v, lpn), 0);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 100);
    struct kvmdb_bad_page bad;
    CHECK_EQUAL(kvmdb_region_bad_page(v->region, 36, &bad), -ENOENT);
    for (int64_t number = 37; number <= 100; number++) {
        CHECK_EQUAL(kvmdb_region_bad_page(v->region, number, &bad), 0);
        CHECK_EQUAL(bad.lpn, 15 + number);
    }
    volume_close(v);
    store_close(s);
}

void a_write_without_room_goes_through_unreserved_and_recorded(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 64, 12);
    volume_populate(v, 0, 64);
    for (uint64_t lpn = 0; lpn < 10; lpn++)
        CHECK_PAGE(v, lpn, 1);
    content_write(v, 0, 2, page_at(v, 0));
    store_set_free(s, 0);
    page_at(v, 1)[9] = 1;
    CHECK_EQUAL(last_bad_page(v).cause, KVMDB_BAD_FULL);
    CHECK_EQUAL(last_bad_page(v).detail, ENOSPC);
    CHECK(word_of(v, 1) & PAGE_UNRESERVED);
    CHECK_EQUAL(page_state(word_of(v, 1)), DIRTY);
    page_at(v, 1)[10] = 1;
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 1);
    page_at(v, 20)[0] = 1; /* not in memory */
    CHECK_EQUAL(last_bad_page(v).cause, KVMDB_BAD_FULL);
    CHECK_EQUAL(page_state(word_of(v, 20)), POISONED);
    CHECK_EQUAL(kvmdb_region_pin(v->region, 2, 1, 1), -ENOSPC);
    CHECK_EQUAL(kvmdb_region_expect_writes(v->region, 3, 1), 0);
    CHECK_EQUAL(page_state(word_of(v, 3)), CLEAN);
    CHECK_EQUAL(steal_some(v, 64), 1); /* page 0 alone */
    spill_page_at(v, 1);
    page_at(v, 1)[11] = 1;
    CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
    CHECK_EQUAL(kvmdb_region_unpoison(v->region), 1);
    for (uint64_t lpn = 0; lpn < 64; lpn++)
        CHECK_PAGE(v, lpn, 1);
    kvmdb_space_release(&s->space, v->path_bytes_kept);
    v->path_bytes_kept = 0;
    store_set_free(s, MIB);
    content_write(v, 1, 2, page_at(v, 1));
    CHECK_EQUAL(commit_all(v), 1);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
    volume_close(v);
    store_close(s);
}

/* A write without room to a page that had its reservation, or that has lost its content, keeps the account even. */
void reservations_stay_even_when_writes_fail(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 64, 12);
    volume_populate(v, 0, 64);
    s->pool->shadow_limit_bytes = 0;
    content_write(v, 0, 2, page_at(v, 0));
    content_write(v, 1, 2, page_at(v, 1));
    struct commit *c = commit_freeze(v, 0, 64);
    int spill = v->region->spill_fd;
    v->region->spill_fd = -1; /* nowhere to set the page aside: the write cannot be let through in time */
    *(volatile uint8_t *)page_at(v, 0) = 1;
    v->region->spill_fd = spill;
    CHECK_EQUAL(last_bad_page(v).cause, KVMDB_BAD_KERNEL);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 1);
    uint8_t pages[2 * 4096];
    CHECK_EQUAL(kvmdb_region_copy_out(v->region, (int64_t)c->freeze.epoch, c->lpns, 2, pages), -ESTALE);
    commit_fail(c);
    commit_free(c);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), v->region->page_reservation_bytes + KVMDB_PATH_RESERVATION_BYTES);
    /* What was spilled and cannot be read again is lost, and its reservation with it. */
    spill_page_at(v, 1);
    v->region->spill_fd = -1;
    CHECK_EQUAL(*(volatile uint64_t *)page_at(v, 1), 0);
    v->region->spill_fd = spill;
    CHECK_EQUAL(page_state(word_of(v, 1)), POISONED);
    CHECK_EQUAL(kvmdb_region_unpoison(v->region), 1);
    CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
    CHECK_EQUAL(atomic_load(&v->region->spill_pages), 0);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
    flip_bit(s, map_get(v, 9), 33);
    page_at(v, 9)[0] = 1; /* reserved, then found bad */
    volume_close(v);
    store_close(s);
}

/* The map changes between the read and the failed check: the reader follows it (docs/architecture.md, rule 6). */
static _Atomic bool over;

static void *move_block(void *argument)
{
    struct volume *v = argument;
    uint8_t page[4096], garbage[8192];
    content_write(v, 0, 1, page);
    memset(garbage, 0xee, sizeof garbage);
    while (!atomic_load(&over)) {
        uint64_t old = map_get(v, 0);
        map_set(v, 0, store_append(v->store, v, 0, page, CODEC_RAW));
        store_write_block(v->store, old, garbage);
    }
    return NULL;
}

void a_block_that_moved_under_a_reader_is_read_again(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 4, 12);
    volume_populate(v, 0, 1);
    atomic_store(&over, false);
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, move_block, v), 0);
    for (uint64_t end = milliseconds() + 500; milliseconds() < end;) {
        (void)*(volatile uint64_t *)page_at(v, 0);
        if (kvmdb_region_bad_count(v->region))
            CHECK_EQUAL(last_bad_page(v).cause, 0);
        CHECK_PAGE(v, 0, 1);
        evict_page(v, 0);
    }
    atomic_store(&over, true);
    pthread_join(thread, NULL);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    volume_close(v);
    store_close(s);
}

#ifndef UFFDIO_POISON
struct uffdio_poison {
    struct uffdio_range range;
    uint64_t mode;
    int64_t updated;
};
#define UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct uffdio_poison)
#endif

/* A frame that the hardware gave up, as the kernel shows it: SIGBUS with BUS_MCEERR_AR on every access. */
static bool poison_frame(struct volume *v, uint64_t lpn)
{
    CHECK_EQUAL(madvise(page_at(v, lpn), 4096, MADV_DONTNEED), 0);
    struct uffdio_poison p = {.range = {(uint64_t)page_at(v, lpn), 4096}};
    return ioctl(v->store->pool->uffd, UFFDIO_POISON, &p) == 0;
}

void a_bad_frame_is_recorded_and_replaced(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 16, 12);
    volume_populate(v, 0, 16);
    CHECK_PAGE(v, 2, 1);
    content_write(v, 3, 2, page_at(v, 3));
    if (poison_frame(v, 2) && poison_frame(v, 3)) {
        CHECK_PAGE(v, 2, 0);
        /* A kernel without memory failure handling shows it as a page that will not come. */
        CHECK(last_bad_page(v).cause == KVMDB_BAD_MEMORY || last_bad_page(v).cause == KVMDB_BAD_NO_PROGRESS);
        page_at(v, 3)[5] = 1;
        CHECK_EQUAL(last_bad_page(v).lpn, 3);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 2);
        CHECK_EQUAL(kvmdb_region_unpoison(v->region), 2);
        CHECK_PAGE(v, 2, 1);
        CHECK_PAGE(v, 3, 1);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
        CHECK_EQUAL(kvmdb_pool_dirty_bytes(s->pool), 0);
    }
    volume_close(v);
    store_close(s);
}

/* The copy is made under the page's lock, which the fault on the bad frame must not wait for. */
void a_bad_frame_ends_the_copy_of_a_frozen_page(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 16, 12);
    volume_populate(v, 0, 16);
    for (uint64_t lpn = 1; lpn <= 3; lpn++)
        content_write(v, lpn, 2, page_at(v, lpn));
    struct commit *c = commit_freeze(v, 0, 16);
    CHECK_EQUAL(c->count, 3);
    if (poison_frame(v, 1) && poison_frame(v, 2)) {
        uint8_t pages[3 * 4096];
        /* A page's copy for the commit, and the copy aside that a write makes. */
        CHECK_EQUAL(kvmdb_region_copy_out(v->region, (int64_t)c->freeze.epoch, c->lpns, 3, pages), -EHWPOISON);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 1);
        CHECK_EQUAL(last_bad_page(v).lpn, 1);
        CHECK_EQUAL(last_bad_page(v).cause, KVMDB_BAD_MEMORY);
        page_at(v, 2)[5] = 1;
        CHECK(kvmdb_region_bad_count(v->region) > 1);
        CHECK_EQUAL(page_state(word_of(v, 2)), POISONED);
        commit_fail(c);
        CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
        kvmdb_region_unpoison(v->region);
        for (uint64_t lpn = 1; lpn <= 3; lpn++)
            CHECK_PAGE(v, lpn, 1);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
        CHECK_EQUAL(kvmdb_pool_dirty_bytes(s->pool), 0);
    } else {
        commit_fail(c);
        CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
    }
    commit_free(c);
    volume_close(v);
    store_close(s);
}

/* The kernel refuses the second half of a run: the first must not stay mapped behind the page state's back. */
void a_run_that_is_mapped_in_part_is_undone(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 16, 12);
    volume_populate(v, 0, 16);
    CHECK_PAGE(v, 0, 1);
    evict_page(v, 0);
    CHECK_EQUAL(kernel_unregister(s->pool->uffd, page_at(v, 2), 4096), 0);
    CHECK_PAGE(v, 0, 1);
    *(volatile uint8_t *)page_at(v, 1) = 1; /* with page 2 as read-ahead */
    CHECK_EQUAL(page_state(word_of(v, 1)), DIRTY);
    CHECK_EQUAL(page_state(word_of(v, 2)), EMPTY);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    volume_close(v);
    store_close(s);
}

void a_page_that_cannot_be_evicted_or_spilled_stays_as_it_is(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 4) {
        struct store *s = store_open(64 * MIB);
        struct volume *v = volume_open(s, 16, shift);
        volume_populate(v, 0, 16);
        for (uint64_t lpn = 0; lpn < 16; lpn++)
            CHECK_PAGE(v, lpn, 1);
        content_write(v, 1, 2, page_at(v, 1));
        int64_t resident = kvmdb_pool_resident_bytes(s->pool);
        refuse_forever(1ull << KVMDB_DROP, ENOMEM);
        s->pool->dirty_limit_bytes = -1;
        CHECK_EQUAL(evict_down_to(s, 0), 0);
        make_room_for_dirty(s->pool);
        CHECK_EQUAL(kvmdb_pool_resident_bytes(s->pool), resident);
        CHECK_EQUAL(kvmdb_pool_dirty_bytes(s->pool), v->bytes);
        CHECK_EQUAL(atomic_load(&v->region->spill_pages), 0);
        CHECK_EQUAL(page_state(word_of(v, 0)), CLEAN);
        content_write(v, 1, 3, page_at(v, 1)); /* still writable, and its write is seen */
        for (uint64_t lpn = 0; lpn < 16; lpn++)
            CHECK_PAGE(v, lpn, lpn == 1 ? 3 : 1);
        kvmdb_faults_disarm();
        CHECK(evict_down_to(s, 0) > 0);
        make_room_for_dirty(s->pool);
        CHECK_EQUAL(atomic_load(&v->region->spill_pages), 1);
        CHECK_EQUAL(kvmdb_pool_dirty_bytes(s->pool), 0);
        for (uint64_t lpn = 0; lpn < 16; lpn++)
            CHECK_PAGE(v, lpn, lpn == 1 ? 3 : 1);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
        volume_close(v);
        store_close(s);
    }
}

/* What was dropped before the page that stays is gone, whatever is said of it when it is asked for again. */
void what_is_dropped_before_a_page_that_stays_is_gone(void)
{
    for (uint64_t first = 0; first < 16; first++) {
        struct store *s = store_open(64 * MIB);
        struct volume *v = volume_open(s, 16, 12);
        volume_populate(v, 0, 16);
        for (uint64_t lpn = 0; lpn < 16; lpn++)
            CHECK_PAGE(v, lpn, 1);
        arm_fault(1ull << KVMDB_DROP, first, 0, KVMDB_EFFECT_ERROR, ENOMEM);
        CHECK_EQUAL(evict_down_to(s, 0), (int64_t)first);
        for (uint64_t lpn = 0; lpn < 16; lpn++)
            CHECK_EQUAL(page_state(word_of(v, lpn)), lpn < first ? EMPTY : CLEAN);
        for (uint64_t lpn = 0; lpn < 16; lpn++)
            CHECK_PAGE(v, lpn, 1);
        CHECK_EQUAL(store_counters(s).idle_faults, 0);
        kvmdb_faults_disarm();
        volume_close(v);
        store_close(s);
    }
}

void a_page_that_cannot_be_rolled_back_is_bad_until_it_can(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 4) {
        struct store *s = store_open(16 * MIB);
        struct volume *v = volume_open(s, 16, shift);
        volume_populate(v, 0, 16);
        content_write(v, 3, 2, page_at(v, 3));
        refuse_forever(1ull << KVMDB_DROP, ENOMEM);
        CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 1);
        CHECK_EQUAL(last_bad_page(v).cause, KVMDB_BAD_KERNEL);
        CHECK_EQUAL(last_bad_page(v).detail, ENOMEM);
        CHECK_EQUAL(last_bad_page(v).lpn, 3);
        CHECK_PAGE(v, 3, 0); /* not what was rolled back */
        CHECK_EQUAL(page_state(word_of(v, 3)), POISONED);
        CHECK_EQUAL(kvmdb_region_load(v->region, 3, 1), -EIO);
        CHECK_EQUAL(kvmdb_region_unpoison(v->region), -EIO);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 2);
        CHECK_PAGE(v, 3, 0);
        kvmdb_faults_disarm();
        CHECK_EQUAL(kvmdb_region_unpoison(v->region), 1);
        CHECK_PAGE(v, 3, 1);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 2);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
        volume_close(v);
        store_close(s);
    }
}

void a_page_that_cannot_be_cut_off_or_closed_keeps_the_counters_even(void)
{
    struct store *s = store_open(16 * MIB);
    struct volume *v = volume_open(s, 16, 12);
    volume_populate(v, 0, 16);
    CHECK_PAGE(v, 15, 1);
    content_write(v, 2, 2, page_at(v, 2));
    content_write(v, 14, 2, page_at(v, 14));
    refuse_forever(1ull << KVMDB_DROP, ENOMEM);
    CHECK_EQUAL(kvmdb_region_resize(v->region, 8 * 4096), 0);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 2);
    CHECK_EQUAL(kvmdb_region_resize(v->region, 16 * 4096), 0);
    CHECK(kvmdb_region_bad_count(v->region) > 2);
    CHECK_PAGE(v, 14, 0);
    kvmdb_faults_disarm();
    CHECK_EQUAL(kvmdb_region_unpoison(v->region), 2);
    refuse_forever(1ull << KVMDB_DROP, ENOMEM);
    volume_close(v);
    kvmdb_faults_disarm();
    store_close(s);
}

#define SECOND 1000000000ull

/* So many faults with nothing to do at one address, a microsecond apart; whether the thread counted as stuck at any of them. */
static bool idle_row(struct idle_faults *idle, uint64_t address, uint64_t *now, int count)
{
    bool stuck = false;
    for (int i = 0; i < count; i++)
        stuck |= idle_faults_add(idle, address, *now += SECOND / 1000000);
    return stuck;
}

void a_thread_is_stuck_that_has_nothing_but_idle_faults_at_one_address(void)
{
    struct idle_faults idle = {0};
    uint64_t now = 77 * SECOND;
    CHECK(!idle_row(&idle, 0x1000, &now, IDLE_FAULTS_MAX + 10)); /* in a tenth of a second */
    now += 5 * SECOND;
    CHECK(idle_row(&idle, 0x1000, &now, 1));
    CHECK(!idle_row(&idle, 0x1008, &now, 1)); /* a row of its own */
    CHECK(!idle_row(&idle, 0x1000, &now, 1));
}

void a_thread_that_loses_races_for_a_busy_page_is_not_stuck(void)
{
    struct idle_faults idle = {0};
    uint64_t now = 77 * SECOND;
    for (int second = 0; second < 50; second++) {
        CHECK(!idle_row(&idle, 0x1000, &now, IDLE_FAULTS_MAX / 2));
        idle_faults_end(&idle); /* it wins one */
        now += SECOND;
    }
    for (int hour = 0; hour < 10; hour++) {
        CHECK(!idle_row(&idle, 0x1000, &now, IDLE_FAULTS_MAX / 2));
        now += 3600 * SECOND;
    }
}
