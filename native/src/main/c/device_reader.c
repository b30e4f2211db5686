#define _GNU_SOURCE
#include "device_reader.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

static uint64_t deadline_of(const struct pool *pool)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec + pool->options.read_deadline_ms * 1000000u;
}

/* Reads what is in the page cache; -EAGAIN when that is nothing. */
static int64_t read_cached(struct pool *pool, int *fd, void *buffer, uint32_t bytes, uint64_t position)
{
    if (__builtin_expect(pool->device_hook != NULL, 0))
        return pool->device_hook->read(pool->device_hook, fd, buffer, bytes, position);
    struct iovec vector = {buffer, bytes};
    ssize_t n = preadv2(*fd, &vector, 1, (off_t)position, RWF_NOWAIT);
    return n >= 0 ? n : -errno;
}

/* Reads and waits: through the ring until the deadline; without a ring, or where it takes nothing in, without one. */
static int64_t read_waiting(struct fault_slot *slot, int fd, void *buffer, uint32_t bytes, uint64_t position, uint64_t deadline)
{
    if (slot->ring.fd >= 0) {
        int64_t n = read_ring_read(&slot->ring, fd, buffer, bytes, position, deadline);
        if (n != -EAGAIN)
            return n;
    }
    ssize_t n = pread(fd, buffer, bytes, (off_t)position);
    return n >= 0 ? n : -errno;
}

bool device_waits(int fd)
{
    struct statfs s;
    return fstatfs(fd, &s) < 0 || s.f_type != TMPFS_MAGIC;
}

int device_read(struct pool *pool, int fd, bool waits, struct fault_slot *slot, uint32_t bytes, uint64_t position)
{
    if ((!waits || slot->ring.fd < 0) && !pool->device_hook) {
        int64_t n = kvmdb_file_read(fd, slot->blocks, bytes, position);
        return n < 0 ? (int)n : n < bytes ? -EIO : 0;
    }
    uint64_t deadline = 0;
    for (uint32_t done = 0; done < bytes;) {
        if (slot->ring.in_flight) /* an earlier read of this slot timed out */
            return -ETIMEDOUT;
        void *rest = slot->blocks + done;
        int64_t n = read_cached(pool, &fd, rest, bytes - done, position + done);
        if (n == -EAGAIN || n == -EOPNOTSUPP || n == -ENOSYS) {
            if (deadline == 0 && slot->ring.fd >= 0)
                deadline = deadline_of(pool);
            n = read_waiting(slot, fd, rest, bytes - done, position + done, deadline);
        }
        if (n == 0)
            return -EIO;
        if (n > 0)
            done += (uint32_t)n;
        else if (n != -EINTR)
            return (int)n;
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
