#define _GNU_SOURCE
#include "read_ring.h"
#include "fault_plan.h"
#include "kernel.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef IORING_ENTER_EXT_ARG
#define IORING_ENTER_EXT_ARG (1u << 3)
#define IORING_FEAT_EXT_ARG (1u << 8)
struct io_uring_getevents_arg {
    uint64_t sigmask;
    uint32_t sigmask_sz;
    uint32_t pad;
    uint64_t ts;
};
#endif

/* 0 or -errno. */
static int map_ring(int fd, uint64_t bytes, uint64_t what, void **out)
{
    int64_t address = kernel_call(KVMDB_RING_MEMORY, fd, NULL, bytes, what);
    if (address < 0)
        return (int)address;
    *out = (void *)address;
    madvise(*out, bytes, MADV_DONTFORK);
    return 0;
}

static int map_rings(struct read_ring *ring, const struct io_uring_params *p)
{
    uint64_t submissions = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
    uint64_t completions = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
    ring->rings_bytes = submissions > completions ? submissions : completions;
    ring->entries_bytes = p->sq_entries * sizeof(struct io_uring_sqe);
    int r = map_ring(ring->fd, ring->rings_bytes, IORING_OFF_SQ_RING, &ring->rings);
    if (r == 0)
        r = map_ring(ring->fd, ring->entries_bytes, IORING_OFF_SQES, &ring->entries);
    if (r)
        return r;
    uint8_t *base = ring->rings;
    ring->submission_head = (uint32_t *)(base + p->sq_off.head);
    ring->submission_tail = (uint32_t *)(base + p->sq_off.tail);
    ring->submission_array = (uint32_t *)(base + p->sq_off.array);
    ring->submission_mask = *(uint32_t *)(base + p->sq_off.ring_mask);
    ring->completion_head = (uint32_t *)(base + p->cq_off.head);
    ring->completion_tail = (uint32_t *)(base + p->cq_off.tail);
    ring->completion_mask = *(uint32_t *)(base + p->cq_off.ring_mask);
    ring->completions = base + p->cq_off.cqes;
    return 0;
}

int read_ring_open(struct read_ring *ring)
{
    struct io_uring_params p = {0};
    memset(ring, 0, sizeof *ring);
    ring->fd = (int)kernel_call(KVMDB_RING, -1, &p, 1, 0);
    if (ring->fd < 0)
        return ring->fd;
    /* Timeouts in io_uring_enter came with Linux 5.11; both rings in one mapping before that. */
    int r = p.features & IORING_FEAT_EXT_ARG && p.features & IORING_FEAT_SINGLE_MMAP ? map_rings(ring, &p) : -ENOSYS;
    if (r)
        read_ring_close(ring);
    return r;
}

void read_ring_close(struct read_ring *ring)
{
    if (ring->rings)
        munmap(ring->rings, ring->rings_bytes);
    if (ring->entries)
        munmap(ring->entries, ring->entries_bytes);
    if (ring->fd >= 0)
        close(ring->fd);
    *ring = (struct read_ring){.fd = -1};
}

/* Takes the completion of the read in flight, if it is there. One of a read before it, come again, is nobody's. */
bool read_ring_take(struct read_ring *ring, int64_t *result)
{
    for (;;) {
        uint32_t head = *ring->completion_head; /* ours alone */
        if (head == __atomic_load_n(ring->completion_tail, __ATOMIC_ACQUIRE))
            return false;
        const struct io_uring_cqe *entry = (struct io_uring_cqe *)ring->completions + (head & ring->completion_mask);
        bool is_ours = entry->user_data == ring->reads;
        enum fault_completion what = COMPLETION_COMES;
        *result = entry->res;
        if (is_ours && fault_plan_is_armed())
            what = fault_plan_complete(ring->file, ring->buffer, result);
        if (what != COMPLETION_STAYS)
            __atomic_store_n(ring->completion_head, head + 1, __ATOMIC_RELEASE);
        if (!is_ours || what == COMPLETION_IS_LOST)
            continue;
        ring->in_flight = false;
        return true;
    }
}

bool read_ring_is_idle(struct read_ring *ring)
{
    int64_t result;
    return !ring->in_flight || read_ring_take(ring, &result);
}

static void put_submission(struct read_ring *ring, int fd, void *buffer, uint32_t bytes, uint64_t position)
{
    uint32_t tail = *ring->submission_tail; /* ours alone */
    uint32_t index = tail & ring->submission_mask;
    struct io_uring_sqe *entry = (struct io_uring_sqe *)ring->entries + index;
    memset(entry, 0, sizeof *entry);
    entry->opcode = IORING_OP_READ;
    entry->fd = fd;
    entry->addr = (uint64_t)buffer;
    entry->len = bytes;
    entry->off = position;
    entry->user_data = ++ring->reads;
    ring->file = fd;
    ring->buffer = buffer;
    ring->submission_array[index] = index;
    __atomic_store_n(ring->submission_tail, tail + 1, __ATOMIC_RELEASE);
}

static bool is_submitted(struct read_ring *ring)
{
    return __atomic_load_n(ring->submission_head, __ATOMIC_ACQUIRE) == *ring->submission_tail;
}

/* Submits what is not submitted yet and waits for a completion at most until the deadline. 0 or -errno. */
static int enter(struct read_ring *ring, uint64_t deadline_ns)
{
    uint64_t now = monotonic_ns();
    uint64_t left = now < deadline_ns ? deadline_ns - now : 0;
    if (left == 0 && is_submitted(ring))
        return -ETIME;
    struct __kernel_timespec timeout = {(int64_t)(left / 1000000000u), (long long)(left % 1000000000u)};
    struct io_uring_getevents_arg argument = {.ts = (uint64_t)&timeout};
    long r = syscall(SYS_io_uring_enter, ring->fd, is_submitted(ring) ? 0 : 1, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
        &argument, sizeof argument);
    return r < 0 ? -errno : 0;
}

/* Takes the completion of the read in flight, after an enter that ended so. */
static int64_t await(struct read_ring *ring, int entered, uint64_t deadline_ns)
{
    int64_t result;
    while (!read_ring_take(ring, &result)) {
        if (entered == -ETIME)
            return -ETIMEDOUT;
        if (entered != 0 && entered != -EINTR && entered != -EAGAIN && entered != -EBUSY)
            return entered; /* given up, as after a timeout */
        entered = enter(ring, deadline_ns);
    }
    return result;
}

/* After an enter: 0, or -EAGAIN when the kernel did not take what was put there. */
static int begun(struct read_ring *ring)
{
    if (!is_submitted(ring)) {
        __atomic_store_n(ring->submission_tail, *ring->submission_tail - 1, __ATOMIC_RELEASE);
        return -EAGAIN;
    }
    ring->in_flight = true;
    return 0;
}

int64_t read_ring_read(struct read_ring *ring, int fd, void *buffer, uint32_t bytes, uint64_t position, uint64_t deadline_ns)
{
    if (fault_plan_is_armed() && fault_plan_submit(&fd, &position, &bytes) != 0)
        return -EAGAIN;
    put_submission(ring, fd, buffer, bytes, position);
    int entered;
    do
        entered = enter(ring, deadline_ns);
    while (entered == -EINTR && !is_submitted(ring));
    int r = begun(ring);
    return r ? r : await(ring, entered, deadline_ns);
}

int read_ring_submit(struct read_ring *ring, int fd, void *buffer, uint32_t bytes, uint64_t position)
{
    if (fault_plan_is_armed() && fault_plan_submit(&fd, &position, &bytes) != 0)
        return -EAGAIN;
    put_submission(ring, fd, buffer, bytes, position);
    while (syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0) < 0 && errno == EINTR)
        ;
    return begun(ring);
}

int64_t read_ring_wait(struct read_ring *ring, uint64_t deadline_ns)
{
    return await(ring, 0, deadline_ns);
}
