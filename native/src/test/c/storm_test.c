/* Threads against threads: every byte is checked against what it must be; the watchdog in main.c catches a hang. */
#define _GNU_SOURCE
#include "fake_store.h"
#include "page_read.h"
#include "page_write.h"
#include "read_ahead.h"
#include "tests.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WRITERS 2
#define READERS 2
#define STORM_MS 1500
#define STORM_MS_MAX 20000 /* until it met what it is about */

struct storm {
    struct store *store;
    struct volume *volume;
    pthread_rwlock_t scope;       /* write scopes against freezes */
    _Atomic uint64_t *sequences;  /* by LPN: odd while its writer is at it; half of it is the version */
    uint64_t *frozen;             /* the sequences as the last freeze saw them */
    _Atomic bool over;
    _Atomic uint64_t writes, checks, commits;
    bool steal;
    bool fail;
    bool evicts; /* else pages are missing only at first, and a reader may have come to all of them */
    bool tier;
};

/* Whole by a call, if the page is not in memory. */
static bool write_by_call(struct volume *v, uint64_t lpn, uint64_t version)
{
    uint8_t page[KVMDB_PAGE_BYTES_MAX];
    content_write(v, lpn, version, page);
    return kvmdb_region_write_missing(v->region, lpn << v->shift, v->bytes, page) != 0;
}

static void write_page(struct storm *t, uint64_t lpn)
{
    uint64_t sequence = atomic_load(&t->sequences[lpn]);
    uint64_t version = sequence / 2 + 1;
    atomic_store(&t->sequences[lpn], sequence + 1);
    if (version % 2 == 0 || !write_by_call(t->volume, lpn, version))
        content_write(t->volume, lpn, version, page_at(t->volume, lpn));
    atomic_store(&t->sequences[lpn], sequence + 2);
    atomic_fetch_add(&t->writes, 1);
}

struct member {
    struct storm *storm;
    uint64_t number;
    pthread_t thread;
};

/* Each page has one writer. */
static void *writer(void *argument)
{
    struct member *m = argument;
    struct storm *t = m->storm;
    uint64_t seed = m->number;
    while (!atomic_load(&t->over)) {
        pthread_rwlock_rdlock(&t->scope);
        uint64_t lpn = random_next(&seed) % (t->volume->pages - 16);
        for (int i = 0; i < 8; i++, lpn++) {
            if (lpn % WRITERS == m->number)
                write_page(t, lpn);
        }
        pthread_rwlock_unlock(&t->scope);
    }
    return NULL;
}

/* In the memory itself, or in a copy that a call makes. */
static void check_page(struct storm *t, uint64_t lpn, bool by_call)
{
    struct volume *v = t->volume;
    uint8_t copy[KVMDB_PAGE_BYTES_MAX];
    const uint8_t *page = by_call ? copy : page_at(v, lpn);
    uint64_t before = atomic_load(&t->sequences[lpn]);
    if (before & 1)
        return;
    if (by_call)
        CHECK_EQUAL(kvmdb_region_read(v->region, lpn << v->shift, v->bytes, copy), 0);
    bool good = content_is(v, lpn, before / 2, page);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load(&t->sequences[lpn]) != before)
        return;
    if (!good)
        CHECK_CONTENT(v, lpn, before / 2, page);
    atomic_fetch_add(&t->checks, 1);
}

static void *reader(void *argument)
{
    struct member *m = argument;
    uint64_t seed = 100 + m->number;
    while (!atomic_load(&m->storm->over)) {
        uint64_t lpn = random_next(&seed) % (m->storm->volume->pages - 16);
        for (int i = 0; i < 16; i++)
            check_page(m->storm, lpn + (uint64_t)i, m->number % 2);
    }
    return NULL;
}

/* In order, so that others read ahead of it. */
static void *scanner(void *argument)
{
    struct storm *t = argument;
    while (!atomic_load(&t->over)) {
        for (uint64_t lpn = 0; lpn < t->volume->pages && !atomic_load(&t->over); lpn++)
            check_page(t, lpn, false);
    }
    return NULL;
}

static void *reader_ahead(void *argument)
{
    struct storm *t = argument;
    while (!atomic_load(&t->over))
        kvmdb_pool_read_ahead(t->store->pool, 20);
    return NULL;
}

static void *evictor(void *argument)
{
    struct storm *t = argument;
    while (!atomic_load(&t->over)) {
        kvmdb_pool_wait_pressure(t->store->pool, PRESSURE_EVICT, 20);
        kvmdb_pool_evict(t->store->pool);
    }
    return NULL;
}

/* Freezes while no write scope is open; copies out while writers go on; what it gets is what was there. */
static void write_back(struct storm *t, uint64_t flags, bool fail)
{
    struct volume *v = t->volume;
    pthread_rwlock_wrlock(&t->scope);
    struct commit *c = commit_freeze(v, flags, flags ? 256 : (int64_t)v->pages + 1);
    for (uint64_t lpn = 0; lpn < v->pages; lpn++)
        t->frozen[lpn] = atomic_load(&t->sequences[lpn]);
    pthread_rwlock_unlock(&t->scope);
    uint8_t *page = malloc(v->bytes);
    for (int64_t i = 0; i < c->count; i++) {
        if (fail && i == c->count / 2)
            break;
        uint64_t lpn = c->lpns[i];
        CHECK_EQUAL(kvmdb_region_copy_out(v->region, (int64_t)c->freeze.epoch, &lpn, 1, page), 0);
        CHECK_CONTENT(v, lpn, t->frozen[lpn] / 2, page);
        c->ppns[i] = store_append(v->store, v, lpn, page, CODEC_BY_LPN);
    }
    free(page);
    if (fail)
        commit_fail(c);
    else if (flags)
        commit_steal(c);
    else
        commit_apply(c);
    commit_free(c);
    atomic_fetch_add(&t->commits, 1);
}

static bool met_enough(struct storm *t)
{
    struct kvmdb_counters counters = store_counters(t->store);
    return atomic_load(&t->writes) > 100 && atomic_load(&t->checks) > 100 && (!t->evicts || counters.overwritten_pages > 10)
        && (!t->tier || (counters.tier_hits > 100 && counters.passed_pages > 100));
}

static void storm(uint64_t pages, uint32_t shift, int64_t budget, int64_t tier, bool steal, bool fail)
{
    struct storm t = {.store = store_open_tiered(budget, tier), .steal = steal, .fail = fail, .evicts = (int64_t)(pages << shift) > budget,
        .tier = tier > 0};
    t.volume = volume_open(t.store, pages, shift);
    t.sequences = calloc(pages, sizeof *t.sequences);
    t.frozen = calloc(pages, sizeof *t.frozen);
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&t.scope, &attributes);
    struct member members[WRITERS + READERS];
    for (uint64_t i = 0; i < WRITERS + READERS; i++) {
        members[i] = (struct member){&t, i, 0};
        CHECK_EQUAL(pthread_create(&members[i].thread, NULL, i < WRITERS ? writer : reader, &members[i]), 0);
    }
    void *(*const others[])(void *) = {evictor, scanner, reader_ahead};
    pthread_t other_threads[3];
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(pthread_create(&other_threads[i], NULL, others[i], &t), 0);
    uint64_t head_most = (SEGMENTS - 8ull) * SEGMENT_BYTES / 2;
    uint64_t begin = milliseconds();
    for (int i = 0; t.store->head < head_most; i++) {
        uint64_t so_far = milliseconds() - begin;
        if (so_far > STORM_MS_MAX || (so_far > STORM_MS && met_enough(&t)))
            break;
        write_back(&t, steal && i % 4 ? KVMDB_FREEZE_TO_STEAL : 0, fail && i % 3 == 1);
        usleep(i % 5 * 1000);
        int64_t resident = kvmdb_pool_resident_bytes(t.store->pool);
        CHECK_AT_MOST(resident, budget + budget / 10);
    }
    atomic_store(&t.over, true);
    kvmdb_pool_stop(t.store->pool);
    for (int i = 0; i < WRITERS + READERS; i++)
        pthread_join(members[i].thread, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(other_threads[i], NULL);
    commit_all(t.volume);
    CHECK_EQUAL(kvmdb_pool_dirty_bytes(t.store->pool), 0);
    CHECK_EQUAL(atomic_load(&t.volume->region->spill_pages), 0);
    CHECK_EQUAL(atomic_load(&t.store->space.reserved_bytes), 0);
    for (uint64_t lpn = 0; lpn < pages; lpn++)
        CHECK_PAGE(t.volume, lpn, t.sequences[lpn] / 2);
    CHECK_EQUAL(kvmdb_region_bad_count(t.volume->region), 0);
    CHECK(met_enough(&t));
    printf(" [%" PRIu64 " writes, %" PRIu64 " checks, %" PRIu64 " write-backs]", t.writes, t.checks, t.commits);
    pthread_rwlock_destroy(&t.scope);
    free((void *)t.sequences);
    free(t.frozen);
    volume_close(t.volume);
    store_close(t.store);
}

void storm_in_memory_enough(void)
{
    storm(2000, 12, 64 * MIB, 0, false, true);
}

void storm_in_little_memory(void)
{
    storm(20000, 12, 8 * MIB, 0, true, true);
}

void storm_in_little_memory_with_a_tier(void)
{
    storm(20000, 12, 10 * MIB, 4 * MIB, true, true);
}

/* The tier leaves less than what may be dirty. */
void storm_beside_a_large_tier(void)
{
    storm(20000, 12, 12 * MIB, 10 * MIB, true, true);
}

void storm_of_large_pages(void)
{
    storm(800, 16, 16 * MIB, 0, true, false);
}

void storm_of_large_pages_with_a_tier(void)
{
    storm(1200, 16, 20 * MIB, 6 * MIB, true, false);
}

/* ---- the budget ---- */

#define BUDGET (16 * MIB)

static void *read_and_write_at_random(void *argument)
{
    struct member *m = argument;
    struct volume *v = m->storm->volume;
    uint64_t seed = m->number;
    for (int i = 0; i < 15000; i++) {
        uint64_t lpn = random_next(&seed) % v->pages / 4 * 4 + m->number;
        if (i % 4 == 0)
            ((volatile uint64_t *)page_at(v, lpn))[7] = lpn;
        else
            (void)*(volatile uint64_t *)page_at(v, lpn);
        if (i % 64 == 0)
            CHECK_AT_MOST(kvmdb_pool_resident_bytes(v->store->pool), BUDGET + BUDGET / 10);
    }
    return NULL;
}

/* Bytes of a range that are in memory, as the kernel has it. */
static int64_t kernel_resident_bytes(const void *from, uint64_t bytes)
{
    FILE *smaps = fopen("/proc/self/smaps", "r");
    char line[512];
    int64_t resident = 0;
    uint64_t low = 0, high = 0;
    while (fgets(line, sizeof line, smaps)) {
        int64_t kib;
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &low, &high) == 2)
            continue;
        if (sscanf(line, "Rss: %" SCNd64, &kib) == 1 && low >= (uint64_t)from && high <= (uint64_t)from + bytes)
            resident += kib * 1024;
    }
    fclose(smaps);
    return resident;
}

void the_budget_holds_with_ten_times_the_data(void)
{
    struct store *s = store_open(BUDGET);
    struct volume *v = volume_open(s, 10 * BUDGET / 4096, 12);
    volume_populate(v, 0, v->pages / 8);
    struct storm t = {.store = s, .volume = v};
    struct member members[4];
    for (uint64_t i = 0; i < 4; i++) {
        members[i] = (struct member){&t, i, 0};
        CHECK_EQUAL(pthread_create(&members[i].thread, NULL, read_and_write_at_random, &members[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(members[i].thread, NULL);
    int64_t counted = kvmdb_pool_resident_bytes(s->pool) - s->resident_at_start;
    int64_t pages = kernel_resident_bytes(v->base, v->region->reserve_bytes);
    int64_t states = kernel_resident_bytes(v->region->memory, v->region->memory_bytes);
    CHECK_LESS(BUDGET / 2, pages);
    CHECK_AT_MOST(pages, counted);
    CHECK_AT_MOST(counted, pages + states + BUDGET / 20);
    CHECK_AT_MOST(pages + states + s->resident_at_start, BUDGET + BUDGET / 10);
    for (uint64_t lpn = 0; lpn < v->pages; lpn += 7)
        (void)*(volatile uint64_t *)page_at(v, lpn);
    commit_all(v);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    volume_close(v);
    store_close(s);
}

/* ---- the handler's stack ---- */

static void *touch_everything(void *argument)
{
    struct member *m = argument;
    struct volume *v = m->storm->volume;
    for (uint64_t lpn = 0; lpn < v->pages; lpn++)
        page_at(v, lpn)[lpn % 4096] = 1;
    (void)*(volatile uint8_t *)page_at(v, v->pages + 1); /* a bad page, too */
    return NULL;
}

/* How deep a thread's stack was used: it was filled with a pattern. */
static uint64_t stack_used(const uint8_t *stack, uint64_t bytes)
{
    uint64_t untouched = 0;
    while (untouched < bytes && stack[untouched] == 0xa5)
        untouched++;
    return bytes - untouched;
}

#define STACK_BYTES 65536ul

void the_handler_is_content_with_a_small_stack(void)
{
    struct store *s = store_open(4 * MIB);
    struct volume *v = volume_open(s, 4000, 12);
    volume_populate(v, 0, 1000);
    struct storm t = {.store = s, .volume = v};
    struct member m = {&t, 0, 0};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
#ifdef __SANITIZE_ADDRESS__
    uint64_t bytes = 8 * STACK_BYTES; /* instrumented frames are larger */
#else
    uint64_t bytes = STACK_BYTES;
#endif
    uint8_t *stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(stack, 0xa5, bytes);
    CHECK_EQUAL(pthread_attr_setstack(&attributes, stack, bytes), 0);
    CHECK_EQUAL(pthread_create(&m.thread, &attributes, touch_everything, &m), 0);
    pthread_join(m.thread, NULL);
    CHECK_LESS(1000, store_counters(s).evicted_pages + store_counters(s).spilled_pages);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 1);
    uint64_t used = stack_used(stack, bytes);
    printf(" [%" PRIu64 " bytes of stack, thread and signal frame included]", used);
#ifndef __SANITIZE_ADDRESS__
    CHECK_AT_MOST(used, 16384 + 8192); /* the thread's own start and the kernel's signal frame */
#endif
    munmap(stack, bytes);
    volume_close(v);
    store_close(s);
}
