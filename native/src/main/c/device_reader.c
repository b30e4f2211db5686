#define _GNU_SOURCE
#include "device_reader.h"
#include "fault_plan.h"
#include "kernel.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/vfs.h>

static uint64_t deadline_of(const struct pool *pool)
{
    return monotonic_ns() + pool->options.read_deadline_ms * 1000000u;
}

/* Reads and waits: through the ring until the deadline; without a ring, or where it takes nothing in, without one. */
static int64_t read_waiting(struct fault_slot *slot, int fd, void *buffer, uint32_t bytes, uint64_t position, uint64_t deadline)
{
    if (slot->ring.fd >= 0) {
        int64_t n = read_ring_read(&slot->ring, fd, buffer, bytes, position, deadline);
        if (n != -EAGAIN)
            return n;
    }
    return kernel_call(KVMDB_READ, fd, buffer, bytes, position);
}

bool device_waits(int fd)
{
    struct statfs s;
    return fstatfs(fd, &s) < 0 || s.f_type != TMPFS_MAGIC;
}

int device_read(struct pool *pool, int fd, bool waits, struct fault_slot *slot, uint32_t bytes, uint64_t position)
{
    /* A plan of faults may make any file wait. */
    if ((!waits && !fault_plan_is_armed()) || slot->ring.fd < 0) {
        int64_t n = kvmdb_file_read(fd, slot->blocks, bytes, position);
        return n < 0 ? (int)n : n < bytes ? -EIO : 0;
    }
    uint64_t deadline = 0;
    int tries = 0;
    for (uint32_t done = 0; done < bytes;) {
        if (slot->ring.in_flight) /* an earlier read of this slot timed out */
            return -ETIMEDOUT;
        void *rest = slot->blocks + done;
        int64_t n = kernel_call(KVMDB_READ_CACHED, fd, rest, bytes - done, position + done); /* -EAGAIN: it has nothing */
        if (n == -EAGAIN || n == -EOPNOTSUPP || n == -ENOSYS) {
            if (deadline == 0)
                deadline = deadline_of(pool);
            n = read_waiting(slot, fd, rest, bytes - done, position + done, deadline);
        }
        if (n == 0)
            return -EIO;
        if (n > 0) {
            done += (uint32_t)n;
            tries = 0;
        } else if (!device_tries_again(n, &tries)) {
            return (int)n;
        }
    }
    return 0;
}

void device_reader_open(struct pool *pool)
{
    bool wanted = pool->options.read_deadline_ms != 0;
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        if (!wanted || read_ring_open(&pool->slots[i].ring) != 0) {
            pool->slots[i].ring.fd = -1;
            wanted = false;
        }
    }
}

void device_reader_close(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        if (pool->slots[i].ring.rings)
            read_ring_close(&pool->slots[i].ring);
    }
}
