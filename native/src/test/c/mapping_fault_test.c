/* The kernel maps a page in part, later, or not for now: nobody's store is lost by it, and nobody reads what is not the page's. */
#define _GNU_SOURCE
#include "fake_store.h"
#include "kernel.h"
#include "tests.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define DELAY_MS 200

static void *store_into_page_1(void *argument)
{
    struct volume *v = argument;
    usleep(DELAY_MS / 4 * 1000); /* once the other thread's fault is under way */
    ((volatile uint8_t *)page_at(v, 1))[100] = 0xab;
    return NULL;
}

/* A run is filled for a write; page 2 cannot be mapped. Another thread stores into page 1 as soon as it can. */
void a_store_is_kept_when_the_neighbours_of_its_page_cannot_be_mapped(void)
{
    for (uint64_t delayed = 0; delayed < 3; delayed++) {
        struct store *s = store_open(16 * MIB);
        struct volume *v = volume_open(s, 16, 12);
        volume_populate(v, 0, 16);
        CHECK_PAGE(v, 0, 1);
        evict_page(v, 0);
        CHECK_EQUAL(kernel_unregister(s->pool->uffd, page_at(v, 2), 4096), 0);
        CHECK_PAGE(v, 0, 1);
        arm_fault(1ull << KVMDB_MAP_PAGE, delayed, 1, KVMDB_EFFECT_DELAY, DELAY_MS);
        pthread_t other;
        CHECK_EQUAL(pthread_create(&other, NULL, store_into_page_1, v), 0);
        *(volatile uint8_t *)page_at(v, 1) = 1; /* with page 2 as read-ahead */
        kvmdb_faults_disarm();
        CHECK_EQUAL(pthread_join(other, NULL), 0);
        CHECK_EQUAL(page_at(v, 1)[100], 0xab);
        CHECK_EQUAL(page_at(v, 1)[0], 1);
        CHECK_EQUAL(page_state(word_of(v, 1)), DIRTY);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
        volume_close(v);
        store_close(s);
    }
}

/* A part that is there already makes the kernel stop in the middle; then it has no memory. */
void a_spilled_page_that_comes_back_in_part_is_taken_back(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 16, 16);
    volume_populate(v, 0, 16);
    content_write(v, 1, 2, page_at(v, 1));
    spill_page_at(v, 1);
    struct uffdio_copy part = {
        .dst = (uint64_t)page_at(v, 1) + 5 * 4096, .src = (uint64_t)bad_page_zeros, .len = 4096};
    CHECK_EQUAL(ioctl(s->pool->uffd, UFFDIO_COPY, &part), 0);
    arm_fault(1ull << KVMDB_MAP_PAGE, 1, 1, KVMDB_EFFECT_ERROR, ENOMEM);
    CHECK(kvmdb_region_load(v->region, 1, 1) < 0);
    kvmdb_faults_disarm();
    CHECK_PAGE(v, 1, 2);
    spill_page_at(v, 1);
    arm_fault(1ull << KVMDB_MAP_PAGE, 0, 1, KVMDB_EFFECT_ERROR, ENOMEM);
    CHECK(kvmdb_region_load(v->region, 1, 1) < 0);
    kvmdb_faults_disarm();
    CHECK_EQUAL(kvmdb_region_rollback(v->region), 0);
    CHECK_PAGE(v, 1, 1);
    volume_close(v);
    store_close(s);
}

/* Neither the page nor the zeros in its place: the access waits until the kernel can. */
void an_access_is_tried_again_when_not_even_zeros_can_be_mapped(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 4) {
        struct store *s = store_open(64 * MIB);
        struct volume *v = volume_open(s, 16, shift);
        volume_populate(v, 0, 16);
        arm_fault(1ull << KVMDB_MAP_PAGE, 0, 2, KVMDB_EFFECT_ERROR, ENOMEM);
        CHECK_PAGE(v, 1, 1);
        kvmdb_faults_disarm();
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 1);
        CHECK_EQUAL(last_bad_page(v).detail, ENOMEM);
        CHECK_EQUAL(kvmdb_region_unpoison(v->region), 0);
        volume_close(v);
        store_close(s);
    }
}

/* Advice on a part of a page makes two kernel mappings of it. */
void a_page_that_lies_in_several_mappings_is_brought_in(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 16, 16);
    volume_populate(v, 0, 16);
    CHECK_EQUAL(madvise(page_at(v, 1) + 8192, 4096, MADV_SEQUENTIAL), 0);
    CHECK_PAGE(v, 1, 1);
    evict_page(v, 1);
    CHECK_EQUAL(kvmdb_region_load(v->region, 1, 1), 0);
    CHECK_PAGE(v, 1, 1);
    content_write(v, 1, 2, page_at(v, 1));
    CHECK_EQUAL(commit_all(v), 1);
    evict_page(v, 1);
    CHECK_PAGE(v, 1, 2);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    volume_close(v);
    store_close(s);
}

static void *write_without_room(void *argument)
{
    *(volatile uint8_t *)page_at(argument, 1) = 7;
    return NULL;
}

/* Zeros are let through between the beginning of a scope and its end, while their error was recorded before it. */
void a_scope_does_not_end_well_over_zeros_that_came_after_it_began(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 16, 12);
    volume_populate(v, 0, 16);
    store_set_free(s, 0);
    arm_fault(1ull << KVMDB_MAP_PAGE, 0, 1, KVMDB_EFFECT_DELAY, DELAY_MS);
    pthread_t writer;
    CHECK_EQUAL(pthread_create(&writer, NULL, write_without_room, v), 0);
    while (kvmdb_region_bad_count(v->region) == 0)
        usleep(100);
    int64_t mark = kvmdb_region_bad_count(v->region); /* a scope begins as Region.beginRead has it */
    kvmdb_region_unpoison(v->region);
    bool is_right = content_is(v, 1, 1, page_at(v, 1));
    CHECK(is_right || kvmdb_region_bad_count(v->region) != mark);
    CHECK_EQUAL(pthread_join(writer, NULL), 0);
    kvmdb_faults_disarm();
    volume_close(v);
    store_close(s);
}
