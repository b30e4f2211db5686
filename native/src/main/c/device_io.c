#define _GNU_SOURCE
#include "device_io.h"
#include "kernel_call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Calls that the kernel asks to make again, in a row, after which it has failed: nothing may go on for ever. */
#define TRIES_MAX 100
#define TRY_AGAIN_NS 100000

static int check_kind(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    return S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) ? 0 : -ENODEV;
}

/* An unnamed file where the file system has no O_TMPFILE: made, and its name taken away at once. */
static int open_and_unlink(const char *directory)
{
    char name[1024];
    if (snprintf(name, sizeof name, "%s/.kvmdb-unnamed-XXXXXX", directory) >= (int)sizeof name)
        return -ENAMETOOLONG;
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    unlink(name);
    return fd;
}

int kvmdb_file_open(const char *path, int mode)
{
    /* O_NONBLOCK: opening a FIFO must fail below, not hang here. It has no effect on regular files. */
    int flags = O_CLOEXEC | O_NONBLOCK | (mode & KVMDB_FILE_READ_ONLY ? O_RDONLY : O_RDWR);
    flags |= mode & KVMDB_FILE_UNNAMED ? O_TMPFILE : O_NOFOLLOW;
    if (mode & KVMDB_FILE_CREATE)
        flags |= O_CREAT | O_EXCL;
    if (mode & KVMDB_FILE_DIRECT)
        flags |= O_DIRECT;
    int fd = (int)kernel_call(KVMDB_OPEN, -1, path, (uint64_t)flags, 0);
    if (mode & KVMDB_FILE_UNNAMED && (fd == -EOPNOTSUPP || fd == -EISDIR))
        return open_and_unlink(path);
    if (fd < 0)
        return fd;
    int bad = check_kind(fd);
    if (bad) {
        close(fd);
        return bad;
    }
    return fd;
}

int kvmdb_file_open_memory(const char *name)
{
    return (int)kernel_call(KVMDB_OPEN_MEMORY, -1, name, 0, 0);
}

int kvmdb_file_close(int fd)
{
    return close(fd) < 0 ? -errno : 0;
}

int kvmdb_file_lock(int fd, int exclusive)
{
    return (int)kernel_call(KVMDB_LOCK, fd, NULL, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB, 0);
}

bool device_tries_again(int64_t result, int *tries)
{
    if ((result != -EINTR && result != -EAGAIN) || ++*tries > TRIES_MAX)
        return false;
    static const struct timespec moment = {0, TRY_AGAIN_NS};
    if (result == -EAGAIN)
        nanosleep(&moment, NULL);
    return true;
}

/* Reads or writes until length; a result of 0 ends it. Returns the bytes or -errno. */
static int64_t transfer(enum kvmdb_operation operation, int fd, const void *buffer, uint64_t length, uint64_t position)
{
    uint64_t done = 0;
    int tries = 0;
    while (done < length) {
        int64_t n = kernel_call(operation, fd, (const char *)buffer + done, length - done, position + done);
        if (n == 0)
            break;
        if (n > 0)
            done += (uint64_t)n;
        else if (!device_tries_again(n, &tries))
            return n;
        if (n > 0)
            tries = 0;
    }
    return (int64_t)done;
}

int64_t kvmdb_file_read(int fd, void *buffer, uint64_t length, uint64_t position)
{
    return transfer(KVMDB_READ, fd, buffer, length, position);
}

int kvmdb_file_write(int fd, const void *buffer, uint64_t length, uint64_t position)
{
    int64_t n = transfer(KVMDB_WRITE, fd, buffer, length, position);
    return n < 0 ? (int)n : (uint64_t)n < length ? -EIO : 0;
}

int kvmdb_file_flush(int fd)
{
    /* Never retried, whatever the error: after a failed flush the kernel forgets which pages were dirty
     * (docs/architecture.md, rule 10). */
    return (int)kernel_call(KVMDB_FLUSH, fd, NULL, 0, 0);
}

int kvmdb_file_write_back(int fd, uint64_t position, uint64_t length)
{
    return (int)kernel_call(KVMDB_WRITE_BACK, fd, NULL, length, position);
}

int kvmdb_file_allocate(int fd, uint64_t position, uint64_t length)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISBLK(st.st_mode))
        return (int64_t)(position + length) <= kvmdb_file_size(fd) ? 0 : -ENOSPC;
    int tries = 0;
    int r;
    do
        r = (int)kernel_call(KVMDB_ALLOCATE, fd, NULL, length, position);
    while (device_tries_again(r, &tries));
    return r;
}

int kvmdb_file_punch_hole(int fd, uint64_t position, uint64_t length)
{
    int r = (int)kernel_call(KVMDB_PUNCH, fd, NULL, length, position);
    /* A file system that cannot: the space stays, and nothing is wrong. */
    return r == -EOPNOTSUPP ? 0 : r;
}

int kvmdb_file_truncate(int fd, uint64_t length)
{
    return (int)kernel_call(KVMDB_TRUNCATE, fd, NULL, length, 0);
}

int64_t kvmdb_file_size(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISBLK(st.st_mode)) {
        uint64_t size;
        return ioctl(fd, BLKGETSIZE64, &size) < 0 ? -errno : (int64_t)size;
    }
    return (int64_t)st.st_size;
}

int64_t kvmdb_file_allocated_bytes(int fd)
{
    struct stat st;
    return fstat(fd, &st) < 0 ? -errno : (int64_t)st.st_blocks * 512;
}

int kvmdb_directory_open(const char *path)
{
    return (int)kernel_call(KVMDB_OPEN, -1, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

int kvmdb_directory_flush(const char *path)
{
    int fd = (int)kernel_call(KVMDB_OPEN, -1, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    int r = (int)kernel_call(KVMDB_FLUSH_DIRECTORY, fd, NULL, 0, 0);
    close(fd);
    return r;
}
