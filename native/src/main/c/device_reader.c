#define _GNU_SOURCE
#include "device_reader.h"
#include "fault_plan.h"
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

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

/* Reads it all, in pieces if need be; from the page cache first, if the descriptor goes through it. */
static int read_by(struct pool *pool, struct fault_slot *slot, int fd, bool cached, uint32_t bytes, uint64_t position)
{
    uint64_t deadline = 0;
    int tries = 0;
    for (uint32_t done = 0; done < bytes;) {
        if (slot->ring.in_flight) /* an earlier read of this slot timed out */
            return -ETIMEDOUT;
        void *rest = slot->blocks + done;
        int64_t n = -EAGAIN;
        if (cached)
            n = kernel_call(KVMDB_READ_CACHED, fd, rest, bytes - done, position + done); /* -EAGAIN: it has nothing */
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

/* Past the page cache, with what lies around it, since such reads are of whole sectors. */
static int read_direct(struct pool *pool, const struct read_device *device, struct fault_slot *slot, uint32_t bytes, uint64_t position)
{
    uint64_t begin = position & ~(uint64_t)(device->direct_align - 1);
    uint64_t end = (position + bytes + device->direct_align - 1) & ~(uint64_t)(device->direct_align - 1);
    slot->wanted = slot->blocks + (position - begin);
    return read_by(pool, slot, device->direct_fd, false, (uint32_t)(end - begin), begin);
}

int device_read(struct pool *pool, const struct read_device *device, struct fault_slot *slot, uint32_t bytes, uint64_t position,
    bool past_cache)
{
    if (device->direct_fd >= 0 && (device->is_direct || past_cache)) {
        int r = read_direct(pool, device, slot, bytes, position);
        if (r != -EINVAL && r != -EIO) /* not aligned after all, or what lies around it cannot be read */
            return r;
    }
    slot->wanted = slot->blocks;
    /* A plan of faults may make any file wait. */
    if ((!device->waits && !fault_plan_is_armed()) || slot->ring.fd < 0) {
        int64_t n = kvmdb_file_read(device->fd, slot->blocks, bytes, position);
        return n < 0 ? (int)n : n < bytes ? -EIO : 0;
    }
    return read_by(pool, slot, device->fd, true, bytes, position);
}

/* What reads past the page cache are aligned to; 0: the file has none, or buffers here would not do. */
static uint32_t direct_align(int fd)
{
    struct statx st;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) < 0 || !(st.stx_mask & STATX_DIOALIGN))
        return 4096; /* before Linux 6.1; more is not met with */
    uint32_t align = st.stx_dio_offset_align;
    return st.stx_dio_mem_align > 4096 || align > 4096 || (align & (align - 1)) != 0 ? 0 : align;
}

void device_attach(const struct pool *pool, struct read_device *device, int fd)
{
    *device = (struct read_device){.fd = fd, .direct_fd = -1, .waits = device_waits(fd)};
    if (!device->waits) /* there is nothing beneath its cache */
        return;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int direct = (int)kernel_call(KVMDB_OPEN, -1, path, O_RDONLY | O_DIRECT | O_CLOEXEC, 0);
    device->direct_align = direct < 0 ? 0 : direct_align(direct);
    if (device->direct_align)
        device->direct_fd = direct;
    else if (direct >= 0)
        close(direct);
    device->is_direct = pool->options.direct_reads && device->direct_fd >= 0;
}

void device_detach(struct read_device *device)
{
    if (device->direct_fd >= 0)
        close(device->direct_fd);
    device->direct_fd = -1;
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
