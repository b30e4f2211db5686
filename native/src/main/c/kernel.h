/*
 * What the shim asks of the kernel: userfaultfd without privilege, process_madvise, and the definitions that older
 * headers lack. All async-signal-safe but for kernel_check and kernel_open_uffd.
 */
#ifndef KVMDB_KERNEL_H
#define KVMDB_KERNEL_H

#include "device_io.h"

#include <linux/userfaultfd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

enum kvmdb_platform {
    KVMDB_PLATFORM_OK = 0,
    KVMDB_PLATFORM_NO_USERFAULTFD = 1, /* detail: errno of the system call */
    KVMDB_PLATFORM_NO_FEATURES = 2,    /* detail: mask of the UFFD_FEATURE_* that lack */
    KVMDB_PLATFORM_NO_LZ4 = 3,
    KVMDB_PLATFORM_PAGE_SIZE = 4, /* detail: the page size */
};

/* Tries everything that is needed by using it. Returns one of enum kvmdb_platform. */
KVMDB_EXPORT int kvmdb_platform_check(int64_t *detail);

/* A userfaultfd that raises SIGBUS in the faulting thread. Returns the descriptor or -errno. */
int kernel_open_uffd(void);
int kernel_register(int uffd, void *address, uint64_t length);
int kernel_unregister(int uffd, void *address, uint64_t length);

/* Maps a copy of the source at an address where nothing is. Goes on after partial copies; a part that is there
 * already is left as it is. 0 or -errno. */
int kernel_copy(int uffd, uint64_t address, const void *source, uint64_t length, bool write_protected);
/* The same, writable, up to the first part that is there already or cannot be mapped. Returns the bytes before that. */
uint64_t kernel_copy_missing(int uffd, uint64_t address, const void *source, uint64_t length);
/* Protects a range from writes, or lets them through. 0 or -errno. */
int kernel_write_protect(int uffd, uint64_t address, uint64_t length, bool on);
/* Drops the pages of the ranges, in order: they are missing afterwards. Falls back to madvise range by range. 0, or -errno
 * of the first range that stays; dropped says how many before it are gone. */
int kernel_zap(const struct iovec *ranges, int count, int *dropped);
int kernel_zap_range(void *address, uint64_t length);

/* Of liblz4.so.1, opened at run time. Async-signal-safe. */
extern int (*lz4_decompress_safe)(const char *source, char *destination, int source_bytes, int capacity);
extern int (*lz4_decompress_safe_using_dict)(
    const char *source, char *destination, int source_bytes, int capacity, const char *dictionary, int dictionary_bytes);

/* Opens it, if it is not open; false when this machine has none that will do. Not for the fault handler. */
bool kernel_open_lz4(void);

/* Nanoseconds of the clock that only goes forward. Async-signal-safe. */
uint64_t monotonic_ns(void);

#endif
