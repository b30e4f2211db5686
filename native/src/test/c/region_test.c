/* Regions and pools: resize, several at once, closing, signals of others, epochs, memory as the kernel counts it. */
#define _GNU_SOURCE
#include "fake_store.h"
#include "kernel.h"
#include "tests.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void shrinking_drops_and_growing_again_reads_zeros(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 2) {
        struct store *s = store_open(64 * MIB);
        struct volume *v = volume_open(s, 700, shift);
        volume_populate(v, 0, 700);
        for (uint64_t lpn = 0; lpn < 700; lpn++) {
            if (lpn % 3)
                CHECK_PAGE(v, lpn, 1);
            else
                content_write(v, lpn, 2, page_at(v, lpn));
        }
        spill_page_at(v, 600);
        spill_page_at(v, 60);
        CHECK_EQUAL(*(volatile uint8_t *)page_at(v, 705), 0);
        CHECK_EQUAL(kvmdb_region_resize(v->region, 100ll << shift), 0);
        uint64_t dirty = 0;
        for (uint64_t lpn = 0; lpn < 800; lpn++)
            dirty += page_state(word_of(v, lpn)) == DIRTY;
        CHECK_EQUAL(dirty, 34);
        int64_t page_reservations = 34 * v->region->page_reservation_bytes;
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), page_reservations + KVMDB_PATH_RESERVATION_BYTES);
        for (uint64_t lpn = 100; lpn < 700; lpn++)
            map_set(v, lpn, 0); /* as the journal does */
        CHECK_EQUAL(kvmdb_region_load(v->region, 100, 1), -EINVAL);
        CHECK_EQUAL(kvmdb_region_resize(v->region, 800ll << shift), 0);
        int64_t bad = kvmdb_region_bad_count(v->region);
        for (uint64_t lpn = 0; lpn < 800; lpn++)
            CHECK_PAGE(v, lpn, lpn >= 100 ? 0 : lpn % 3 ? 1 : 2);
        content_write(v, 705, 1, page_at(v, 705));
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), bad);
        CHECK_EQUAL(kvmdb_region_resize(v->region, (int64_t)REGION_GRANULE_BYTES + 4096), -ENOMEM);
        CHECK_EQUAL(kvmdb_region_resize(v->region, -1), -ENOMEM);
        volume_close(v);
        store_close(s);
    }
}

/* Readers near the end fill ahead; what they bring in beyond a new end must not show when the region grows again. */
static _Atomic bool over;
static void *read_below_end(void *argument)
{
    struct volume *v = argument;
    while (!atomic_load(&over)) {
        for (uint64_t lpn = 496; lpn < 512; lpn++)
            *(volatile uint8_t *)page_at(v, lpn);
        for (uint64_t lpn = 496; lpn < 512; lpn++) {
            uint64_t word;
            if (page_try_lock(&v->region->words[lpn], &word)) {
                page_unlock(&v->region->words[lpn], word);
                if (page_state(word) == CLEAN)
                    evict_page(v, lpn);
            }
        }
    }
    return NULL;
}

void what_was_read_ahead_beyond_a_new_end_is_gone(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 1024, 12);
    volume_populate(v, 0, 1024);
    atomic_store(&over, false);
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, read_below_end, v), 0);
    for (uint64_t end = milliseconds() + 400; milliseconds() < end;) {
        CHECK_EQUAL(kvmdb_region_resize(v->region, 1024 << 12), 0);
        usleep(50);
        CHECK_EQUAL(kvmdb_region_resize(v->region, 512 << 12), 0);
        for (uint64_t lpn = 512; lpn < 540; lpn++)
            CHECK_EQUAL(page_state(word_of(v, lpn)), EMPTY);
    }
    atomic_store(&over, true);
    pthread_join(thread, NULL);
    volume_close(v);
    store_close(s);
}

void pools_and_regions_do_not_get_into_each_others_way(void)
{
    struct store *stores[3];
    struct volume *volumes[3][3];
    for (int i = 0; i < 3; i++) {
        stores[i] = store_open(8 * MIB);
        for (int j = 0; j < 3; j++) {
            volumes[i][j] = volume_open(stores[i], 1500, 12 + (uint32_t)j);
            volume_populate(volumes[i][j], 0, 1000);
        }
    }
    for (uint64_t lpn = 0; lpn < 1500; lpn++) {
        for (int k = 0; k < 9; k++) {
            struct volume *v = volumes[k / 3][k % 3];
            CHECK_PAGE(v, lpn, lpn < 1000 ? 1 : 0);
            if (lpn % 4 == 0)
                content_write(v, lpn, 2, page_at(v, lpn));
        }
    }
    for (int i = 0; i < 3; i++) {
        CHECK_AT_MOST(kvmdb_pool_resident_bytes(stores[i]->pool), 8 * MIB + MIB / 2);
        CHECK_EQUAL(kvmdb_pool_close(stores[i]->pool), -EBUSY);
        CHECK_EQUAL(commit_all(volumes[i][0]), 375);
        volume_close(volumes[i][0]); /* the others go on */
        volumes[i][0] = volume_open(stores[i], 10, 16);
        CHECK_PAGE(volumes[i][0], 9, 0);
        CHECK_EQUAL(commit_all(volumes[i][2]), 375);
        for (uint64_t lpn = 0; lpn < 1500; lpn++)
            CHECK_PAGE(volumes[i][2], lpn, lpn % 4 == 0 ? 2 : lpn < 1000 ? 1 : 0);
    }
    for (int k = 0; k < 9; k++)
        volume_close(volumes[k / 3][k % 3]);
    for (int i = 0; i < 3; i++)
        store_close(stores[i]);
}

/* Closing with pages in every state gives everything back, also the copies aside. */
void closing_returns_what_every_kind_of_page_counted(void)
{
    struct store *s = store_open(64 * MIB);
    struct volume *v = volume_open(s, 600, 12);
    volume_populate(v, 0, 600);
    CHECK_EQUAL(kvmdb_region_load(v->region, 0, 300), 0);
    for (uint64_t lpn = 0; lpn < 200; lpn++)
        content_write(v, lpn, 2, page_at(v, lpn));
    spill_page_at(v, 20);
    CHECK_EQUAL(steal_some(v, 10), 10);
    struct commit *c = commit_freeze(v, 0, 100);
    page_at(v, 15)[0] ^= 1; /* aside */
    CHECK_EQUAL(*(volatile uint8_t *)page_at(v, 1000), 0);
    CHECK_EQUAL(kvmdb_region_pin(v->region, 250, 3, 1), 0);
    kvmdb_space_release(&s->space, (int64_t)(c->freeze.page_reserved_bytes + c->freeze.path_reserved_bytes));
    commit_free(c);
    volume_close(v);
    store_close(s);
}

/* ---- another content in place ---- */

static void replace_with(struct volume *v, uint32_t root, uint64_t pages)
{
    volume_use_root(v, root);
    CHECK_EQUAL(kvmdb_region_map_root(v->region, root), 0);
    CHECK_EQUAL(kvmdb_region_replace(v->region, (int64_t)(pages << v->shift)), 0);
}

void replacing_drops_pages_in_every_state(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 2) {
        struct store *s = store_open(64 * MIB);
        struct volume *v = volume_open(s, 600, shift);
        volume_populate(v, 0, 600);
        uint32_t old_root = volume_use_root(v, 0);
        for (uint64_t lpn = 0; lpn < 700; lpn += 2)
            volume_put(v, lpn, 2);
        uint32_t new_root = volume_use_root(v, old_root);
        CHECK_EQUAL(kvmdb_region_load(v->region, 0, 300), 0);
        for (uint64_t lpn = 0; lpn < 100; lpn++)
            content_write(v, lpn, 3, page_at(v, lpn));
        spill_page_at(v, 90);
        CHECK_EQUAL(steal_some(v, 10), 10);
        content_write(v, 3, 4, page_at(v, 3)); /* stolen, and written again */
        CHECK_EQUAL(*(volatile uint8_t *)page_at(v, 650), 0); /* beyond the end */
        CHECK_EQUAL(*(volatile uint8_t *)page_at(v, 900), 0);
        CHECK_EQUAL(kvmdb_region_replace(v->region, (int64_t)REGION_GRANULE_BYTES + 65536), -ENOMEM);
        CHECK_EQUAL(content_version(v, 5, page_at(v, 5)), 3);

        replace_with(v, new_root, 700);
        for (uint64_t lpn = 0; lpn < 700; lpn++)
            CHECK_PAGE(v, lpn, lpn % 2 ? 0 : 2);
        CHECK_EQUAL(kvmdb_region_dirty_pages(v->region), 0);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), v->path_bytes_kept);
        content_write(v, 7, 5, page_at(v, 7));
        CHECK_EQUAL(commit_all(v), 1);
        CHECK_PAGE(v, 7, 5);

        replace_with(v, old_root, 64); /* and back, to fewer pages */
        for (uint64_t lpn = 0; lpn < 64; lpn++)
            CHECK_PAGE(v, lpn, 1);
        CHECK_EQUAL(kvmdb_region_load(v->region, 64, 1), -EINVAL);
        volume_close(v);
        store_close(s);
    }
}

#define FIRST_TOUCHES 64

/* Each touch is the first in its group of pages. */
static void *touch_groups(void *argument)
{
    struct volume *v = argument;
    for (uint64_t i = 0; i < FIRST_TOUCHES; i++) {
        uint64_t lpn = i << KVMDB_GROUP_SHIFT;
        uint64_t version = content_version(v, lpn, page_at(v, lpn));
        CHECK(version == 1 || version == 2);
    }
    return NULL;
}

void no_fault_in_flight_leaves_old_content_behind_a_replacement(void)
{
    uint64_t random = 7;
    for (int round = 0; round < 100; round++) {
        struct store *s = store_open(16 * MIB);
        struct volume *v = volume_open(s, FIRST_TOUCHES << KVMDB_GROUP_SHIFT, 12);
        for (uint64_t i = 0; i < FIRST_TOUCHES; i++)
            volume_put(v, i << KVMDB_GROUP_SHIFT, 1);
        volume_use_root(v, 0);
        for (uint64_t i = 0; i < FIRST_TOUCHES; i++)
            volume_put(v, i << KVMDB_GROUP_SHIFT, 2);
        pthread_t threads[2];
        for (int t = 0; t < 2; t++)
            CHECK_EQUAL(pthread_create(&threads[t], NULL, touch_groups, v), 0);
        usleep((useconds_t)(random_next(&random) % 300));
        replace_with(v, v->root, v->pages);
        for (uint64_t i = 0; i < FIRST_TOUCHES; i++)
            CHECK_PAGE(v, i << KVMDB_GROUP_SHIFT, 2);
        for (int t = 0; t < 2; t++)
            pthread_join(threads[t], NULL);
        volume_close(v);
        store_close(s);
    }
}

void a_region_is_refused_that_makes_no_sense(void)
{
    struct store *s = store_open(8 * MIB);
    struct kvmdb_region_options good = {.size_bytes = 4096, .reserve_bytes = REGION_GRANULE_BYTES, .page_shift = 12, .spill_fd = -1};
    struct kvmdb_region_options bad[] = {good, good, good, good, good};
    bad[0].page_shift = 11;
    bad[1].page_shift = 17;
    bad[2].size_bytes = REGION_GRANULE_BYTES + 4096;
    bad[3].reserve_bytes = REGION_GRANULE_BYTES / 2;
    bad[4].flags = 2;
    struct region *r;
    for (int i = 0; i < 5; i++)
        CHECK_EQUAL(kvmdb_region_open(s->pool, &bad[i], &r), -EINVAL);
    CHECK_EQUAL(kvmdb_pool_device(s->pool, KVMDB_DEVICES_MAX, 0), -EINVAL);
    store_close(s);
}

/* ---- the neighbours ---- */

static sigjmp_buf back;
static volatile sig_atomic_t chained;

/* Installed by main before the shim's. */
static void older_handler(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number;
    (void)info;
    (void)context;
    chained++;
    siglongjmp(back, 1);
}

void install_older_handler(void)
{
    struct sigaction a = {.sa_sigaction = older_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    CHECK_EQUAL(sigaction(SIGBUS, &a, NULL), 0);
}

void a_signal_that_is_not_ours_goes_to_the_older_handler(void)
{
    CHECK_EQUAL(kvmdb_faulter_install(), 0);
    CHECK_EQUAL(kvmdb_faulter_is_installed(), 1);
    CHECK_EQUAL(kvmdb_faulter_install(), 0);
    int fd = memfd_create("short", 0);
    CHECK_EQUAL(ftruncate(fd, 4096), 0);
    volatile uint8_t *mapped = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
    chained = 0;
    if (sigsetjmp(back, 1) == 0) {
        (void)mapped[4096]; /* beyond the end of the file */
        CHECK(!"reached");
    }
    CHECK_EQUAL(chained, 1);
    if (sigsetjmp(back, 1) == 0)
        raise(SIGBUS);
    CHECK_EQUAL(chained, 2);
    munmap((void *)mapped, 8192);
    close(fd);
    signal(SIGBUS, SIG_DFL); /* the C library's call: the kernel forgets ours */
    CHECK_EQUAL(kvmdb_faulter_is_installed(), 0);
}

/* ---- regions that are only read ---- */

/* Whether the older handler was called; what it interrupts has no effect. */
static bool is_refused(volatile uint8_t *byte)
{
    chained = 0;
    if (sigsetjmp(back, 1) == 0)
        *byte = 1;
    return chained == 1;
}

void a_write_to_a_region_that_is_only_read_goes_to_the_older_handler(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 4) {
        struct store *s = store_open(8 * MIB);
        struct volume *v = volume_open_with(s, 64, shift, KVMDB_REGION_READ_ONLY);
        volume_populate(v, 0, 64);
        uint8_t block[KVMDB_PAGE_BYTES_MAX + 256];
        store_read_block(s, map_get(v, 9), block)[40] ^= 1;
        store_write_block(s, map_get(v, 9), block);
        CHECK_PAGE(v, 3, 1);
        CHECK_EQUAL(*(volatile uint8_t *)page_at(v, 9), 0); /* poisoned */
        uint64_t refused[] = {3, 5, 9, 64}; /* in memory, missing, bad, beyond the end */
        for (int i = 0; i < 4; i++) {
            CHECK(is_refused(page_at(v, refused[i]) + 4000));
            CHECK_EQUAL(last_bad_page(v).cause, KVMDB_BAD_READ_ONLY);
            CHECK_EQUAL(last_bad_page(v).lpn, refused[i]);
            CHECK_EQUAL(kvmdb_region_bad_count(v->region), 2 + i);
        }
        CHECK_EQUAL(kvmdb_region_pin(v->region, 3, 2, 1), -EROFS);
        CHECK_EQUAL(kvmdb_region_pin(v->region, 3, 2, 0), 0);
        CHECK_EQUAL(kvmdb_region_unpin(v->region, 3, 2), 0);
        CHECK_EQUAL(kvmdb_region_dirty_pages(v->region), 0);
        CHECK_EQUAL(page_bitmap_next(&v->region->dirty, 0), PAGE_BITMAP_END);
        CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
        CHECK_EQUAL(store_counters(s).first_writes + store_counters(s).write_faults, 0);
        for (uint64_t lpn = 0; lpn < 64; lpn++)
            CHECK_PAGE(v, lpn, lpn == 9 ? 0 : 1);
        volume_close(v);
        store_close(s);
    }
}

/* ---- epochs ---- */

void an_epoch_has_passed_when_no_older_fault_is_in_flight(void)
{
    struct store *s = store_open(8 * MIB);
    int64_t first = kvmdb_pool_epoch_advance(s->pool);
    CHECK_EQUAL(kvmdb_pool_epoch_passed(s->pool, first), 1);
    struct fault_slot *old = slot_acquire(s->pool);
    CHECK_EQUAL(kvmdb_pool_epoch_passed(s->pool, first), 1);
    int64_t second = kvmdb_pool_epoch_advance(s->pool);
    CHECK_EQUAL(second, first + 1);
    CHECK_EQUAL(kvmdb_pool_epoch_passed(s->pool, second), 0);
    struct fault_slot *young = slot_acquire(s->pool);
    slot_release(s->pool, old);
    CHECK_EQUAL(kvmdb_pool_epoch_passed(s->pool, second), 1);
    slot_release(s->pool, young);
    CHECK_EQUAL(kvmdb_pool_epoch_passed(s->pool, kvmdb_pool_epoch_advance(s->pool)), 1);
    store_close(s);
}

void pressure_wakes_who_waits_for_it(void)
{
    struct store *s = store_open(8 * MIB);
    int both = PRESSURE_EVICT | PRESSURE_STEAL;
    CHECK_EQUAL(kvmdb_pool_wait_pressure(s->pool, both, 1), 0);
    struct volume *v = volume_open(s, 8192, 12);
    for (uint64_t lpn = 0; lpn < 700; lpn++)
        page_at(v, lpn)[0] = 1;
    CHECK_EQUAL(kvmdb_pool_wait_pressure(s->pool, PRESSURE_EVICT, 1), 0);
    CHECK_EQUAL(kvmdb_pool_wait_pressure(s->pool, both, 1000), PRESSURE_STEAL);
    CHECK_EQUAL(kvmdb_pool_wait_pressure(s->pool, both, 1), 0);
    for (uint64_t lpn = 0; lpn < 1900; lpn++)
        *(volatile uint8_t *)page_at(v, 1000 + lpn);
    CHECK(kvmdb_pool_wait_pressure(s->pool, both, 1000) & PRESSURE_EVICT);
    CHECK_EQUAL(kvmdb_pool_stop(s->pool), 0);
    CHECK_EQUAL(kvmdb_pool_wait_pressure(s->pool, both, 1000), PRESSURE_STOP);
    CHECK_EQUAL(kvmdb_pool_wait_pressure(s->pool, both, 1000), PRESSURE_STOP);
    volume_close(v);
    store_close(s);
}

void latencies_are_counted_by_bucket(void)
{
    struct store *s = store_open(8 * MIB);
    struct volume *v = volume_open(s, 64, 12);
    for (uint64_t lpn = 64; lpn-- > 0;)
        page_at(v, lpn)[0] = 1;
    const uint64_t expected[KVMDB_FAULT_KINDS] = {[KVMDB_FAULT_WRITE] = 64, [KVMDB_FAULT_FILL] = 64};
    for (int kind = 0; kind < KVMDB_FAULT_KINDS; kind++) {
        uint64_t buckets[KVMDB_LATENCY_BUCKETS], sum = 0;
        CHECK_EQUAL(kvmdb_pool_latency(s->pool, kind, buckets), 0);
        for (int i = 0; i < KVMDB_LATENCY_BUCKETS; i++)
            sum += buckets[i];
        CHECK_EQUAL(sum, expected[kind]);
        CHECK_EQUAL(buckets[0], 0); /* none took no time */
    }
    volume_close(v);
    store_close(s);
}
