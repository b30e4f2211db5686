#define _GNU_SOURCE
#include "kernel_call.h"
#include "fault_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/userfaultfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int64_t read_cached(int fd, void *buffer, uint64_t bytes, uint64_t position)
{
    struct iovec vector = {buffer, bytes};
    return preadv2(fd, &vector, 1, (off_t)position, RWF_NOWAIT);
}

static int64_t map_private(uint64_t bytes)
{
    return (int64_t)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static int64_t map_ring(int fd, uint64_t bytes, uint64_t position)
{
    return (int64_t)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, (off_t)position);
}

/* -1 with errno, as system calls have it. */
static int64_t perform(enum kvmdb_operation operation, int fd, void *buffer, uint64_t bytes, uint64_t position)
{
    switch (operation) {
    case KVMDB_READ_CACHED:
        return read_cached(fd, buffer, bytes, position);
    case KVMDB_READ:
        return pread(fd, buffer, bytes, (off_t)position);
    case KVMDB_WRITE:
        return pwrite(fd, buffer, bytes, (off_t)position);
    case KVMDB_FLUSH:
        return fdatasync(fd);
    case KVMDB_FLUSH_DIRECTORY:
        return fsync(fd);
    case KVMDB_WRITE_BACK:
        return sync_file_range(fd, (off_t)position, (off_t)bytes, SYNC_FILE_RANGE_WRITE);
    case KVMDB_ALLOCATE:
        return fallocate(fd, 0, (off_t)position, (off_t)bytes);
    case KVMDB_PUNCH:
        return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)position, (off_t)bytes);
    case KVMDB_TRUNCATE:
        return ftruncate(fd, (off_t)bytes);
    case KVMDB_OPEN:
        return open(buffer, (int)bytes, 0600);
    case KVMDB_OPEN_MEMORY:
        return memfd_create(buffer, MFD_CLOEXEC);
    case KVMDB_LOCK:
        return flock(fd, (int)bytes);
    case KVMDB_MEMORY:
        return map_private(bytes);
    case KVMDB_RING:
        return syscall(SYS_io_uring_setup, (uint32_t)bytes, buffer);
    case KVMDB_RING_MEMORY:
        return map_ring(fd, bytes, position);
    case KVMDB_USERFAULTFD:
        return syscall(SYS_userfaultfd, (int)bytes);
    case KVMDB_REGISTER:
        return ioctl(fd, UFFDIO_REGISTER, buffer);
    case KVMDB_MAP_PAGE:
        return ioctl(fd, UFFDIO_COPY, buffer);
    case KVMDB_PROTECT:
        return ioctl(fd, UFFDIO_WRITEPROTECT, buffer);
    case KVMDB_DROP:
        return madvise((void *)position, bytes, MADV_DONTNEED);
    case KVMDB_READ_SUBMIT: /* these are io_uring_enter, in read_ring.c */
    case KVMDB_READ_COMPLETE:
    case KVMDB_OPERATIONS:
        break;
    }
    errno = ENOSYS;
    return -1;
}

int64_t kernel_call_plain(enum kvmdb_operation operation, int fd, const void *buffer, uint64_t bytes, uint64_t position)
{
    int64_t r = perform(operation, fd, (void *)buffer, bytes, position);
    return r == -1 ? -errno : r;
}

int64_t kernel_call(enum kvmdb_operation operation, int fd, const void *buffer, uint64_t bytes, uint64_t position)
{
    if (__builtin_expect(fault_plan_is_armed(), 0))
        return fault_plan_call(operation, fd, (void *)buffer, bytes, position);
    return kernel_call_plain(operation, fd, buffer, bytes, position);
}
