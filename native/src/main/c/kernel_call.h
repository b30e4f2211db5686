/*
 * The one place through which the shim asks the kernel for I/O, memory and descriptors: an operation, and arguments of
 * the same shape for all. A plan of faults (fault_plan.h) may stand in between; without one that costs a branch.
 */
#ifndef KVMDB_KERNEL_CALL_H
#define KVMDB_KERNEL_CALL_H

#include <stdint.h>

/* fd, buffer, bytes and position are what the comment says; the result is that of the system call, or -errno. */
enum kvmdb_operation {
    KVMDB_READ_CACHED,   /* preadv2 of what the page cache has: a read in a page fault */
    KVMDB_READ_SUBMIT,   /* io_uring: the same read goes to the kernel; see fault_plan_submit */
    KVMDB_READ_COMPLETE, /* io_uring: and comes back; see fault_plan_complete */
    KVMDB_READ,          /* pread */
    KVMDB_WRITE,         /* pwrite */
    KVMDB_FLUSH,         /* fdatasync */
    KVMDB_FLUSH_DIRECTORY, /* fsync */
    KVMDB_WRITE_BACK,    /* sync_file_range of bytes from position on */
    KVMDB_ALLOCATE,      /* fallocate of bytes from position on */
    KVMDB_PUNCH,         /* fallocate: the same range becomes a hole */
    KVMDB_TRUNCATE,      /* ftruncate to bytes */
    KVMDB_OPEN,          /* open: buffer is the path, bytes are the flags; a mode of 0600 */
    KVMDB_OPEN_MEMORY,   /* memfd_create: buffer is the name */
    KVMDB_LOCK,          /* flock: bytes are the flags */
    KVMDB_MEMORY,        /* mmap of bytes of private memory */
    KVMDB_RING,          /* io_uring_setup: bytes are the entries, buffer the parameters */
    KVMDB_RING_MEMORY,   /* mmap of bytes of a ring at position */
    KVMDB_USERFAULTFD,   /* userfaultfd: bytes are the flags */
    KVMDB_REGISTER,      /* UFFDIO_REGISTER of buffer */
    KVMDB_MAP_PAGE,      /* UFFDIO_COPY of buffer; position is the address */
    KVMDB_PROTECT,       /* UFFDIO_WRITEPROTECT of buffer; position is the address */
    KVMDB_DROP,          /* madvise(MADV_DONTNEED) of bytes at position, an address */
    KVMDB_OPERATIONS
};

/* Performs the operation, or what the plan makes of it. Async-signal-safe. */
int64_t kernel_call(enum kvmdb_operation operation, int fd, const void *buffer, uint64_t bytes, uint64_t position);
/* Performs it whatever the plan says. */
int64_t kernel_call_plain(enum kvmdb_operation operation, int fd, const void *buffer, uint64_t bytes, uint64_t position);

#endif
