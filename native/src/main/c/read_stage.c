#define _GNU_SOURCE
#include "read_stage.h"
#include "kernel.h"
#include "pool.h"

#define BUDGET_BYTES_PER_STAGE (16u << 20)
#define SECTOR_BYTES_MAX 4096 /* behind the last block */
#define WANTED_NS 20000000u /* who has not used by then what was read ahead does not come */

/* ---- memory ---- */

static uint32_t stage_count(const struct pool *pool)
{
    uint64_t count = pool->options.direct_reads ? pool->options.budget_bytes / BUDGET_BYTES_PER_STAGE : 0;
    return count < KVMDB_STAGES_MAX ? (uint32_t)count : KVMDB_STAGES_MAX;
}

uint64_t stages_bytes(const struct pool *pool)
{
    return (uint64_t)stage_count(pool) * KVMDB_STAGE_BYTES;
}

void stages_open(struct pool *pool, uint8_t *memory)
{
    for (uint32_t i = 0; i < stage_count(pool); i++) {
        struct read_stage *stage = &pool->stages[i];
        if (read_ring_open(&stage->ring) != 0)
            return;
        stage->bytes = memory + (uint64_t)i * KVMDB_STAGE_BYTES;
        pool->stage_count++;
    }
}

void stages_close(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->stage_count; i++)
        read_ring_close(&pool->stages[i].ring);
}

bool stages_are_idle(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->stage_count; i++) {
        if (!read_ring_is_idle(&pool->stages[i].ring))
            return false;
    }
    return true;
}

/* ---- reading ---- */

/* Makes it BUSY, if it is in that state. */
static bool take(struct read_stage *stage, uint32_t state)
{
    return atomic_load(&stage->state) == state && atomic_compare_exchange_strong(&stage->state, &state, STAGE_BUSY);
}

/* It is BUSY no more. */
static void leave(struct read_stage *stage, uint32_t state)
{
    atomic_store(&stage->state, state);
    if (atomic_load(&stage->waiters))
        futex_wake(&stage->state, INT32_MAX);
}

/* The read of a stage that is BUSY has ended so. */
static void finish(struct read_stage *stage, int64_t result)
{
    if (result > 0 && (uint64_t)result < stage->end - stage->begin)
        atomic_store(&stage->end, stage->begin + (uint64_t)result);
    leave(stage, result > 0 ? STAGE_READY : STAGE_EMPTY);
}

/* Looks whether the read has ended. */
static void look(struct read_stage *stage)
{
    int64_t result;
    if (!take(stage, STAGE_READING))
        return;
    if (read_ring_take(&stage->ring, &result))
        finish(stage, result);
    else
        leave(stage, STAGE_READING);
}

/* Whether its reader is still to come. */
static bool is_wanted(const struct read_stage *stage)
{
    return atomic_load(&stage->state) == STAGE_READY && !atomic_load(&stage->is_used)
        && monotonic_ns() - atomic_load(&stage->begun_ns) < WANTED_NS;
}

/* One to read into, BUSY. They take turns, so the oldest goes; one that is in use, or late, is passed over. */
static struct read_stage *take_oldest(struct pool *pool, bool spare)
{
    for (uint32_t i = 0; i < pool->stage_count; i++) {
        struct read_stage *stage = &pool->stages[atomic_fetch_add(&pool->stages_begun, 1) % pool->stage_count];
        look(stage);
        if (take(stage, STAGE_EMPTY))
            return stage;
        if ((spare && is_wanted(stage)) || !take(stage, STAGE_READY))
            continue;
        if (atomic_load(&stage->pins) == 0)
            return stage;
        leave(stage, STAGE_READY);
    }
    return NULL;
}

static uint32_t begin_read(struct pool *pool, struct read_stage *stage, uint32_t device, uint64_t begin, uint64_t end)
{
    if (!stage)
        return 0;
    atomic_store(&stage->device, device);
    atomic_store(&stage->begin, begin);
    atomic_store(&stage->end, end);
    atomic_store(&stage->begun_ns, monotonic_ns());
    atomic_store(&stage->is_used, false);
    int r = read_ring_submit(&stage->ring, pool->devices[device].direct_fd, stage->bytes, (uint32_t)(end - begin), begin);
    leave(stage, r ? STAGE_EMPTY : STAGE_READING);
    return r ? 0 : 1u << (stage - pool->stages);
}

uint32_t stage_begin_spare(struct pool *pool, uint32_t device, uint64_t begin, uint64_t end)
{
    return begin_read(pool, take_oldest(pool, true), device, begin, end);
}

uint32_t stage_begin(struct pool *pool, uint32_t device, uint64_t begin, uint64_t end)
{
    struct read_stage *stage = take_oldest(pool, true);
    return begin_read(pool, stage ? stage : take_oldest(pool, false), device, begin, end);
}

/* When a read that began then is late. */
static uint64_t deadline_of(const struct pool *pool, uint64_t begun_ns)
{
    uint64_t limit_ns = pool->options.read_deadline_ms * 1000000u;
    return limit_ns ? begun_ns + limit_ns : UINT64_MAX;
}

static bool is_coming(const struct read_stage *stage)
{
    uint32_t state = atomic_load(&stage->state);
    return state == STAGE_READING || state == STAGE_BUSY;
}

/*
 * Waits for a read to end; or, where somebody else is at it, for him, who may only have looked: then it is still to come. False
 * when there is nothing to wait for, or no time.
 */
static bool wait_for(struct read_stage *stage, uint64_t deadline_ns)
{
    if (take(stage, STAGE_READING)) {
        int64_t result = read_ring_wait(&stage->ring, deadline_ns);
        bool is_late = stage->ring.in_flight;
        if (is_late)
            leave(stage, STAGE_READING);
        else
            finish(stage, result);
        return !is_late;
    }
    uint64_t now = monotonic_ns();
    if (!is_coming(stage) || now >= deadline_ns)
        return false;
    struct timespec left = {(time_t)((deadline_ns - now) / 1000000000u), (long)((deadline_ns - now) % 1000000000u)};
    atomic_fetch_add(&stage->waiters, 1);
    futex_wait(&stage->state, STAGE_BUSY, deadline_ns == UINT64_MAX ? NULL : &left);
    atomic_fetch_sub(&stage->waiters, 1);
    return true;
}

void stages_wait(struct pool *pool, uint32_t stages)
{
    uint64_t deadline_ns = deadline_of(pool, monotonic_ns());
    for (uint32_t i = 0; i < pool->stage_count; i++) {
        while (stages >> i & 1 && is_coming(&pool->stages[i]) && wait_for(&pool->stages[i], deadline_ns))
            ;
    }
}

/* ---- use ---- */

static bool covers(const struct read_stage *stage, uint32_t device, uint64_t position, uint32_t bytes)
{
    return atomic_load(&stage->device) == device && atomic_load(&stage->begin) <= position
        && position + bytes <= atomic_load(&stage->end);
}

bool stages_are_coming(const struct pool *pool)
{
    for (uint32_t i = 0; i < pool->stage_count; i++) {
        if (is_coming(&pool->stages[i]))
            return true;
    }
    return false;
}

bool stages_cover(const struct pool *pool, uint32_t device, uint64_t position, uint32_t bytes)
{
    for (uint32_t i = 0; i < pool->stage_count; i++) {
        if (covers(&pool->stages[i], device, position, bytes) && atomic_load(&pool->stages[i].state) != STAGE_EMPTY)
            return true;
    }
    return false;
}

void stages_await(struct pool *pool, uint32_t device, uint64_t position, uint32_t bytes)
{
    for (uint32_t i = 0; i < pool->stage_count; i++) {
        struct read_stage *stage = &pool->stages[i];
        while (is_coming(stage) && covers(stage, device, position, bytes)) {
            /* From when it was begun: nobody waits again for what is late already. */
            if (!wait_for(stage, deadline_of(pool, atomic_load(&stage->begun_ns))))
                break;
        }
    }
}

bool stage_find(struct pool *pool, uint32_t device, uint64_t position, uint32_t bytes, struct staged_bytes *found)
{
    for (uint32_t i = 0; i < pool->stage_count; i++) {
        struct read_stage *stage = &pool->stages[i];
        if (!covers(stage, device, position, bytes))
            continue;
        look(stage);
        atomic_fetch_add(&stage->pins, 1);
        if (atomic_load(&stage->state) == STAGE_READY && covers(stage, device, position, bytes)) {
            *found = (struct staged_bytes){stage, stage->bytes + (position - stage->begin), (uint32_t)(stage->end - position)};
            return true;
        }
        atomic_fetch_sub(&stage->pins, 1);
    }
    return false;
}

void stage_use(const struct staged_bytes *found, uint32_t bytes)
{
    if (bytes + SECTOR_BYTES_MAX > found->length)
        atomic_store(&found->stage->is_used, true);
}

void stage_release(struct staged_bytes *found)
{
    if (found->stage)
        atomic_fetch_sub(&found->stage->pins, 1);
    found->stage = NULL;
}

void stages_forget_device(struct pool *pool, uint32_t device)
{
    for (uint32_t i = 0; i < pool->stage_count; i++) {
        if (atomic_load(&pool->stages[i].device) == device)
            atomic_store(&pool->stages[i].device, KVMDB_DEVICES_MAX);
    }
}
