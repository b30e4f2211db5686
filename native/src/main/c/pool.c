#define _GNU_SOURCE
#include "pool.h"
#include "device_reader.h"
#include "kernel.h"
#include "native_memory.h"
#include "page_evict.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SLOTS_MAX 64
#define READ_AHEAD_BYTES_MAX (1 << 20)
#define LATE_READS_WAIT_MS 300
#define QUEUE_ENTRIES_MIN 4096 /* well above the slack that queue_page keeps */
#define SLOT_BYTES (KVMDB_SLOT_BLOCKS_BYTES + KVMDB_RUN_BYTES)

/* Threads are numbered as they come; only stripes and first choices of slots depend on it. */
static __thread uint32_t thread_number;
static _Atomic uint32_t threads_numbered;

uint32_t pool_thread_number(void)
{
    if (thread_number == 0)
        thread_number = atomic_fetch_add(&threads_numbered, 1) + 1;
    return thread_number;
}

struct stripe *pool_stripe(struct pool *pool)
{
    return &pool->stripes[pool_thread_number() % KVMDB_STRIPES];
}

/* Takes the slot if it is free, or if what made it late has ended. */
static bool slot_take(struct fault_slot *slot)
{
    uint32_t state = atomic_load_explicit(&slot->state, memory_order_relaxed);
    if (state == SLOT_BUSY || !atomic_compare_exchange_strong(&slot->state, &state, SLOT_BUSY))
        return false;
    if (state == SLOT_IDLE || read_ring_is_idle(&slot->ring))
        return true;
    atomic_store(&slot->state, SLOT_LATE);
    return false;
}

static struct fault_slot *slot_try_acquire(struct pool *pool)
{
    uint32_t first = pool_thread_number();
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        struct fault_slot *slot = &pool->slots[(first + i) % pool->slot_count];
        if (slot_take(slot))
            return slot;
    }
    return NULL;
}

static bool all_slots_are_late(const struct pool *pool)
{
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        if (atomic_load(&pool->slots[i].state) != SLOT_LATE)
            return false;
    }
    return true;
}

/* A read that comes in late wakes nobody, so whoever waits for a slot looks again this often. */
#define SLOT_LOOK_MS 10

static struct fault_slot *slot_wait(struct pool *pool)
{
    static const struct timespec look = {0, SLOT_LOOK_MS * 1000000};
    struct fault_slot *slot;
    uint64_t late_ms = 0;
    atomic_fetch_add(&pool->slot_waiters, 1);
    for (;;) {
        uint32_t seen = atomic_load(&pool->slots_released);
        slot = slot_try_acquire(pool);
        if (slot || late_ms > pool->options.read_deadline_ms)
            break;
        late_ms = all_slots_are_late(pool) ? late_ms + SLOT_LOOK_MS : 0;
        futex_wait(&pool->slots_released, seen, pool->options.read_deadline_ms ? &look : NULL);
    }
    atomic_fetch_sub(&pool->slot_waiters, 1);
    return slot;
}

struct fault_slot *slot_acquire(struct pool *pool)
{
    struct fault_slot *slot = slot_try_acquire(pool);
    if (!slot)
        slot = slot_wait(pool);
    if (slot)
        atomic_store(&slot->epoch, atomic_load(&pool->epoch));
    return slot;
}

void slot_release(struct pool *pool, struct fault_slot *slot)
{
    /* A late read needs no epoch: nothing will look at what it brings. */
    atomic_store_explicit(&slot->epoch, 0, memory_order_release);
    atomic_store(&slot->state, read_ring_is_idle(&slot->ring) ? SLOT_IDLE : SLOT_LATE);
    if (atomic_load(&pool->slot_waiters)) {
        atomic_fetch_add(&pool->slots_released, 1);
        futex_wake(&pool->slots_released, 1);
    }
}

/* Whether the kernel is done with all slots' buffers, having given it some time. */
static bool wait_for_late_reads(struct pool *pool)
{
    for (uint32_t i = 0, rounds = 0; i < pool->slot_count; i++) {
        while (!read_ring_is_idle(&pool->slots[i].ring) || !stages_are_idle(pool)) {
            if (rounds++ == LATE_READS_WAIT_MS)
                return false;
            usleep(1000);
        }
    }
    return true;
}

int64_t kvmdb_pool_epoch_advance(struct pool *pool)
{
    return (int64_t)atomic_fetch_add(&pool->epoch, 1) + 1;
}

int kvmdb_pool_epoch_passed(struct pool *pool, int64_t epoch)
{
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        uint64_t in_flight = atomic_load(&pool->slots[i].epoch);
        /* A slot that is busy and shows no epoch yet has not looked at anything; it will load the new epoch. */
        if (in_flight != 0 && in_flight < (uint64_t)epoch)
            return 0;
    }
    return 1;
}

static int queue_open(struct page_queue *queue, uint64_t capacity)
{
    uint64_t size = 1;
    while (size < capacity)
        size <<= 1;
    int64_t memory = kvmdb_memory_reserve(size * 8);
    if (memory < 0 && memory > -4096)
        return (int)memory;
    queue->ring = (void *)memory;
    queue->mask = size - 1;
    return 0;
}

static void queue_close(struct page_queue *queue)
{
    if (queue->ring)
        kvmdb_memory_release(queue->ring, (queue->mask + 1) * 8);
}

/* How the budget is shared out; the figures of the comments are for the documentation, too. */
void pool_set_limits(struct pool *pool)
{
    int64_t budget = (int64_t)pool->options.budget_bytes;
    int64_t frames = budget - atomic_load(&pool->tier.bytes);
    atomic_store(&pool->evict_high_bytes, budget - frames / 16);
    atomic_store(&pool->evict_low_bytes, budget - frames / 8);
    /* What is written has at least half of what it has without a tier, which gives memory back before pages are spilled. */
    int64_t writes = frames > budget / 2 ? frames : budget / 2;
    atomic_store(&pool->steal_bytes, writes / 4);
    atomic_store(&pool->dirty_limit_bytes, writes * 2 / 5);
    atomic_store(&pool->shadow_limit_bytes, writes / 8);
    atomic_store(&pool->read_ahead_bytes, frames / 64 < READ_AHEAD_BYTES_MAX ? frames / 64 : READ_AHEAD_BYTES_MAX);
}

static uint64_t staging_bytes(const struct pool *pool)
{
    return (uint64_t)pool->slot_count * SLOT_BYTES + stages_bytes(pool);
}

/* Of a smaller budget the tier leaves an eighth to frames. */
#define FRAMES_BYTES_ENOUGH (16u << 20)

/* The tier leaves a sixteenth to frames, whatever is asked for: a page that is looked at needs one. */
static uint64_t tier_bytes(const struct pool *pool)
{
    uint64_t staging = staging_bytes(pool);
    uint64_t all = pool->options.budget_bytes > staging ? pool->options.budget_bytes - staging : 0;
    uint64_t frames = all / 16 > FRAMES_BYTES_ENOUGH ? all / 16 : least(all / 8, FRAMES_BYTES_ENOUGH);
    return least(pool->options.tier_bytes, all - frames);
}

static int open_memory(struct pool *pool)
{
    uint64_t slots = pool->options.budget_bytes / 16 / SLOT_BYTES;
    pool->slot_count = slots < 4 ? 4 : slots > SLOTS_MAX ? SLOTS_MAX : (uint32_t)slots;
    uint64_t slot_heads = (pool->slot_count * sizeof(struct fault_slot) + 4095) & ~4095ull;
    uint64_t stripes = (KVMDB_STRIPES * sizeof(struct stripe) + 4095) & ~4095ull;
    pool->memory_bytes = slot_heads + stripes + staging_bytes(pool);
    int64_t memory = kvmdb_memory_reserve(pool->memory_bytes);
    if (memory < 0 && memory > -4096)
        return (int)memory;
    uint8_t *at = (uint8_t *)memory;
    pool->memory = at;
    pool->slots = (struct fault_slot *)at;
    pool->stripes = (struct stripe *)(at + slot_heads);
    at += slot_heads + stripes;
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        pool->slots[i].blocks = at;
        pool->slots[i].pages = at + KVMDB_SLOT_BLOCKS_BYTES;
        at += SLOT_BYTES;
    }
    stages_open(pool, at);
    /* Twice the frames that fit, so that a ring never overflows with pages in memory alone. */
    uint64_t capacity = 2 * pool->options.budget_bytes / KVMDB_PAGE_BYTES;
    if (capacity < QUEUE_ENTRIES_MIN)
        capacity = QUEUE_ENTRIES_MIN;
    int r = queue_open(&pool->small, capacity);
    if (r == 0)
        r = queue_open(&pool->main, capacity);
    return r ? r : tier_open(pool, tier_bytes(pool));
}

int kvmdb_pool_open(const struct kvmdb_pool_options *options, struct pool **out)
{
    int64_t memory = kvmdb_memory_reserve((sizeof(struct pool) + 4095) & ~4095ull);
    if (memory < 0 && memory > -4096)
        return (int)memory;
    struct pool *pool = (struct pool *)memory;
    pool->options = *options;
    pool->space = (struct kvmdb_space_account *)options->space_account;
    pool->epoch = 1;
    pool->eviction_clock = 1;
    for (int i = 0; i < KVMDB_DEVICES_MAX; i++)
        pool->devices[i] = (struct read_device){.fd = -1, .direct_fd = -1};
    pool_set_limits(pool);
    pool->uffd = kernel_open_uffd();
    int r = pool->uffd < 0 ? pool->uffd : open_memory(pool);
    if (r) {
        kvmdb_pool_close(pool);
        return r;
    }
    device_reader_open(pool);
    /* Staging counts against the budget as if it were all touched. */
    pool->resident_bytes = (int64_t)staging_bytes(pool);
    *out = pool;
    return 0;
}

int kvmdb_pool_close(struct pool *pool)
{
    for (int i = 0; i < KVMDB_REGIONS_MAX; i++) {
        if (atomic_load(&pool->regions[i]))
            return -EBUSY;
    }
    if (pool->uffd >= 0)
        close(pool->uffd);
    for (int i = 0; i < KVMDB_DEVICES_MAX; i++)
        device_detach(&pool->devices[i]);
    queue_close(&pool->small);
    queue_close(&pool->main);
    tier_close(pool);
    if (pool->memory) {
        /* A buffer that a hung device may still write into is left mapped: better lost than another's. */
        bool is_still = wait_for_late_reads(pool);
        device_reader_close(pool);
        stages_close(pool);
        if (is_still)
            kvmdb_memory_release(pool->memory, pool->memory_bytes);
    }
    return kvmdb_memory_release(pool, (sizeof *pool + 4095) & ~4095ull);
}

int kvmdb_pool_device(struct pool *pool, int index, int fd)
{
    if (index < 0 || index >= KVMDB_DEVICES_MAX)
        return -EINVAL;
    device_detach(&pool->devices[index]);
    stages_forget_device(pool, (uint32_t)index);
    device_attach(pool, &pool->devices[index], fd);
    return 0;
}

int kvmdb_pool_use_dictionary(struct pool *pool, const struct compression_dictionary *dictionary)
{
    const struct compression_dictionary *before = NULL;
    atomic_compare_exchange_strong(&pool->dictionary, &before, dictionary);
    return before && before != dictionary ? -EBUSY : 0;
}

int kvmdb_pool_wait_pressure(struct pool *pool, int bits, int64_t timeout_ms)
{
    struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000};
    uint32_t wanted = (uint32_t)bits | PRESSURE_STOP;
    uint32_t raised = atomic_load(&pool->pressure);
    if (!(raised & wanted))
        futex_wait(&pool->pressure, raised, &timeout);
    return (int)(atomic_fetch_and(&pool->pressure, ~(uint32_t)bits | PRESSURE_STOP) & wanted);
}

int kvmdb_pool_stop(struct pool *pool)
{
    pressure_raise(pool, PRESSURE_STOP);
    atomic_fetch_add(&pool->requests.posted, 1);
    futex_wake(&pool->requests.posted, INT32_MAX);
    return 0;
}

int64_t kvmdb_pool_resident_bytes(struct pool *pool)
{
    return atomic_load(&pool->resident_bytes);
}

int64_t kvmdb_pool_dirty_bytes(struct pool *pool)
{
    return atomic_load(&pool->dirty_bytes);
}

int64_t kvmdb_pool_tier_bytes(struct pool *pool)
{
    return atomic_load(&pool->tier.bytes);
}

int64_t kvmdb_pool_steal_bytes(struct pool *pool)
{
    return atomic_load(&pool->steal_bytes);
}

int kvmdb_pool_counters(struct pool *pool, struct kvmdb_counters *out)
{
    memset(out, 0, sizeof *out);
    uint64_t *sum = (uint64_t *)out;
    for (int s = 0; s < KVMDB_STRIPES; s++) {
        uint64_t *part = (uint64_t *)&pool->stripes[s].counters;
        for (uint32_t i = 0; i < sizeof *out / sizeof *sum; i++)
            sum[i] += __atomic_load_n(&part[i], __ATOMIC_RELAXED);
    }
    return 0;
}
