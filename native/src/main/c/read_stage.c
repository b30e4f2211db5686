#define _GNU_SOURCE
#include "read_stage.h"
#include "kernel.h"
#include "pool.h"

#define BUDGET_BYTES_PER_STAGE (16u << 20)

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

/* The read of a stage that is BUSY has ended so. */
static void finish(struct read_stage *stage, int64_t result)
{
    if (result > 0 && (uint64_t)result < stage->end - stage->begin)
        atomic_store(&stage->end, stage->begin + (uint64_t)result);
    atomic_store(&stage->state, result > 0 ? STAGE_READY : STAGE_EMPTY);
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
        atomic_store(&stage->state, STAGE_READING);
}

/* One to read into, BUSY. They take turns, so the oldest goes; one that is in use, or late, is passed over. */
static struct read_stage *take_oldest(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->stage_count; i++) {
        struct read_stage *stage = &pool->stages[atomic_fetch_add(&pool->stages_begun, 1) % pool->stage_count];
        look(stage);
        if (take(stage, STAGE_EMPTY))
            return stage;
        if (!take(stage, STAGE_READY))
            continue;
        if (atomic_load(&stage->pins) == 0)
            return stage;
        atomic_store(&stage->state, STAGE_READY);
    }
    return NULL;
}

uint32_t stage_begin(struct pool *pool, uint32_t device, uint64_t begin, uint64_t end)
{
    struct read_stage *stage = take_oldest(pool);
    if (!stage)
        return 0;
    atomic_store(&stage->device, device);
    atomic_store(&stage->begin, begin);
    atomic_store(&stage->end, end);
    int r = read_ring_submit(&stage->ring, pool->devices[device].direct_fd, stage->bytes, (uint32_t)(end - begin), begin);
    atomic_store(&stage->state, r ? STAGE_EMPTY : STAGE_READING);
    return r ? 0 : 1u << (stage - pool->stages);
}

void stages_wait(struct pool *pool, uint32_t stages)
{
    uint64_t limit_ns = pool->options.read_deadline_ms * 1000000u;
    uint64_t deadline = limit_ns ? monotonic_ns() + limit_ns : UINT64_MAX;
    for (uint32_t i = 0; i < pool->stage_count; i++) {
        struct read_stage *stage = &pool->stages[i];
        if (!(stages >> i & 1) || !take(stage, STAGE_READING))
            continue;
        int64_t result = read_ring_wait(&stage->ring, deadline);
        if (stage->ring.in_flight)
            atomic_store(&stage->state, STAGE_READING);
        else
            finish(stage, result);
    }
}

/* ---- use ---- */

static bool covers(const struct read_stage *stage, uint32_t device, uint64_t position, uint32_t bytes)
{
    return atomic_load(&stage->device) == device && atomic_load(&stage->begin) <= position
        && position + bytes <= atomic_load(&stage->end);
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
