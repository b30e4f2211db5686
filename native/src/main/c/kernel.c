#define _GNU_SOURCE
#include "kernel.h"
#include "fault_plan.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

#define RUNS_MAX 64
#define KERNEL_PAGE_BYTES 4096u
#define FEATURES_NEEDED (UFFD_FEATURE_SIGBUS | UFFD_FEATURE_PAGEFAULT_FLAG_WP)

int (*lz4_decompress_safe)(const char *, char *, int, int);
int (*lz4_decompress_safe_using_dict)(const char *, char *, int, int, const char *, int);

static const struct {
    void *pointer;
    const char *name;
} lz4_functions[] = {
    {&lz4_decompress_safe, "LZ4_decompress_safe"},
    {&lz4_decompress_safe_using_dict, "LZ4_decompress_safe_usingDict"},
};
#define LZ4_FUNCTIONS (sizeof lz4_functions / sizeof *lz4_functions)

/* process_madvise wants a pidfd of ourselves; -1: not tried, -2: not to be had. */
static _Atomic int self_pidfd = -1;

static int open_uffd_descriptor(void)
{
    int fd = (int)kernel_call(KVMDB_USERFAULTFD, -1, NULL, O_CLOEXEC | UFFD_USER_MODE_ONLY, 0);
    if (fd >= 0)
        return fd;
    /* A seccomp profile may forbid the system call where an administrator granted the device. */
    int device = (int)kernel_call(KVMDB_OPEN, -1, "/dev/userfaultfd", O_RDWR | O_CLOEXEC, 0);
    if (device < 0)
        return fd;
    int granted = ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    close(device);
    return granted < 0 ? fd : granted;
}

int kernel_open_uffd(void)
{
    int fd = open_uffd_descriptor();
    if (fd < 0)
        return fd;
    struct uffdio_api api = {.api = UFFD_API, .features = FEATURES_NEEDED};
    if (ioctl(fd, UFFDIO_API, &api) < 0) {
        int refused = errno;
        close(fd);
        return -refused;
    }
    return fd;
}

/* The features that the kernel lacks; asked with a descriptor of its own, since UFFDIO_API works once. */
static uint64_t features_missing(void)
{
    int fd = open_uffd_descriptor();
    if (fd < 0)
        return FEATURES_NEEDED;
    struct uffdio_api api = {.api = UFFD_API};
    int result = ioctl(fd, UFFDIO_API, &api);
    close(fd);
    return result < 0 ? FEATURES_NEEDED : FEATURES_NEEDED & ~api.features;
}

bool kernel_open_lz4(void)
{
    void *library = NULL;
    for (unsigned i = 0; i < LZ4_FUNCTIONS; i++) {
        void **function = lz4_functions[i].pointer;
        if (*function)
            continue;
        if (!library)
            library = dlopen("liblz4.so.1", RTLD_NOW | RTLD_LOCAL);
        if (!library || !(*function = dlsym(library, lz4_functions[i].name)))
            return false;
    }
    return true;
}

int kvmdb_platform_check(int64_t *detail)
{
    *detail = sysconf(_SC_PAGESIZE);
    if (*detail != 4096)
        return KVMDB_PLATFORM_PAGE_SIZE;
    int fd = open_uffd_descriptor();
    if (fd < 0) {
        *detail = -fd;
        return KVMDB_PLATFORM_NO_USERFAULTFD;
    }
    close(fd);
    *detail = (int64_t)features_missing();
    if (*detail)
        return KVMDB_PLATFORM_NO_FEATURES;
    if (!kernel_open_lz4())
        return KVMDB_PLATFORM_NO_LZ4;
    if (atomic_load(&self_pidfd) == -1) {
        int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
        int none = -1;
        if (!atomic_compare_exchange_strong(&self_pidfd, &none, pidfd < 0 ? -2 : pidfd) && pidfd >= 0)
            close(pidfd);
    }
    return KVMDB_PLATFORM_OK;
}

int kernel_register(int uffd, void *address, uint64_t length)
{
    struct uffdio_register r = {
        .range = {(uint64_t)address, length},
        .mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
    };
    return (int)kernel_call(KVMDB_REGISTER, uffd, &r, length, r.range.start);
}

int kernel_unregister(int uffd, void *address, uint64_t length)
{
    struct uffdio_range r = {(uint64_t)address, length};
    return ioctl(uffd, UFFDIO_UNREGISTER, &r) < 0 ? -errno : 0;
}

/*
 * Maps from *done on, as far as it gets without an error. The kernel maps nothing of a range that lies in several of its mappings,
 * as parts of a page do once somebody gave advice on some: then it is mapped 4 KiB at a time.
 */
static int copy_on(int uffd, uint64_t address, const void *source, uint64_t length, uint64_t mode, uint64_t *done)
{
    uint64_t step = length;
    while (*done < length) {
        struct uffdio_copy c = {
            .dst = address + *done,
            .src = (uint64_t)source + *done,
            .len = step < length - *done ? step : length - *done,
            .mode = mode,
        };
        int64_t r = kernel_call(KVMDB_MAP_PAGE, uffd, &c, c.len, c.dst);
        /* EAGAIN: the address space is changing, or a part was done. */
        if (r == 0)
            *done += c.len;
        else if (c.copy > 0)
            *done += (uint64_t)c.copy;
        else if (r == -ENOENT && c.len > KERNEL_PAGE_BYTES)
            step = KERNEL_PAGE_BYTES;
        else if (r != -EAGAIN)
            return (int)r;
    }
    return 0;
}

int kernel_copy(int uffd, uint64_t address, const void *source, uint64_t length, bool write_protected)
{
    uint64_t done = 0;
    int r;
    while ((r = copy_on(uffd, address, source, length, write_protected ? UFFDIO_COPY_MODE_WP : 0, &done)) == -EEXIST)
        done += KERNEL_PAGE_BYTES;
    return r;
}

uint64_t kernel_copy_missing(int uffd, uint64_t address, const void *source, uint64_t length)
{
    uint64_t done = 0;
    copy_on(uffd, address, source, length, 0, &done);
    return done;
}

int kernel_write_protect(int uffd, uint64_t address, uint64_t length, bool on)
{
    struct uffdio_writeprotect w = {
        .range = {address, length},
        .mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : UFFDIO_WRITEPROTECT_MODE_DONTWAKE,
    };
    int64_t r;
    do
        r = kernel_call(KVMDB_PROTECT, uffd, &w, length, address);
    while (r == -EAGAIN);
    return (int)r;
}

/* One range, also where it is locked into memory (mlockall). */
static int zap_one(const struct iovec *range)
{
    int64_t r = kernel_call(KVMDB_DROP, -1, NULL, range->iov_len, (uint64_t)range->iov_base);
    return r == -EINVAL && madvise(range->iov_base, range->iov_len, MADV_DONTNEED_LOCKED) == 0 ? 0 : (int)r;
}

/* Neighbours become one run, which the kernel drops at a walk; so do the pages of a scan. Returns how many ranges are in. */
static int join_ranges(const struct iovec *ranges, int count, struct iovec *runs, int *run_count)
{
    struct iovec *last = runs;
    int i = 1;
    *last = ranges[0];
    for (; i < count; i++) {
        if ((char *)last->iov_base + last->iov_len == ranges[i].iov_base)
            last->iov_len += ranges[i].iov_len;
        else if (last < runs + RUNS_MAX - 1)
            *++last = ranges[i];
        else
            break;
    }
    *run_count = (int)(last - runs) + 1;
    return i;
}

/* Drops many ranges with one call. Returns how many of the first ones are gone. */
static int zap_joined(int pidfd, const struct iovec *ranges, int count)
{
    struct iovec runs[RUNS_MAX];
    int run_count, gone = 0;
    count = join_ranges(ranges, count, runs, &run_count);
    ssize_t advised = syscall(SYS_process_madvise, pidfd, runs, (long)run_count, MADV_DONTNEED, 0);
    if (advised < 0 && (errno == ENOSYS || errno == EPERM))
        atomic_store(&self_pidfd, -2);
    for (; gone < count && advised >= (ssize_t)ranges[gone].iov_len; gone++)
        advised -= (ssize_t)ranges[gone].iov_len;
    return gone;
}

int kernel_zap(const struct iovec *ranges, int count, int *dropped)
{
    int first = 0;
    int pidfd = atomic_load(&self_pidfd);
    if (pidfd >= 0 && count > 1 && !fault_plan_is_armed()) { /* a plan is about each range */
        int gone;
        do
            first += gone = zap_joined(pidfd, ranges + first, count - first);
        while (gone > 0 && first < count);
        /* It may stop at a range that it cannot drop: do the rest one by one. */
    }
    int r = 0;
    while (first < count && (r = zap_one(&ranges[first])) == 0)
        first++;
    *dropped = first;
    return r;
}

int kernel_zap_range(void *address, uint64_t length)
{
    return zap_one(&(struct iovec){address, length});
}

uint64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
