#define _GNU_SOURCE
#include "device_io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_kind(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    return S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) ? 0 : -EINVAL;
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
    int fd = open(path, flags, 0600);
    if (fd < 0 && mode & KVMDB_FILE_UNNAMED && (errno == EOPNOTSUPP || errno == EISDIR))
        return open_and_unlink(path);
    if (fd < 0)
        return -errno;
    int bad = check_kind(fd);
    if (bad) {
        close(fd);
        return bad;
    }
    return fd;
}

int kvmdb_file_open_memory(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int kvmdb_file_close(int fd)
{
    return close(fd) < 0 ? -errno : 0;
}

int kvmdb_file_lock(int fd, int exclusive)
{
    return flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) < 0 ? -errno : 0;
}

int64_t kvmdb_file_read(int fd, void *buffer, uint64_t length, uint64_t position)
{
    uint64_t done = 0;
    while (done < length) {
        ssize_t n = pread(fd, (char *)buffer + done, length - done, (off_t)(position + done));
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        if (n == 0)
            break;
        done += (uint64_t)n;
    }
    return (int64_t)done;
}

int kvmdb_file_write(int fd, const void *buffer, uint64_t length, uint64_t position)
{
    uint64_t done = 0;
    while (done < length) {
        ssize_t n = pwrite(fd, (const char *)buffer + done, length - done, (off_t)(position + done));
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        if (n == 0)
            return -EIO;
        done += (uint64_t)n;
    }
    return 0;
}

int kvmdb_file_flush(int fd)
{
    /* Not retried, whatever the error: after a failed flush the kernel forgets the dirty pages (DURABILITY). */
    return fdatasync(fd) < 0 ? -errno : 0;
}

int kvmdb_file_write_back(int fd, uint64_t position, uint64_t length)
{
    return sync_file_range(fd, (off_t)position, (off_t)length, SYNC_FILE_RANGE_WRITE) < 0 ? -errno : 0;
}

int kvmdb_file_allocate(int fd, uint64_t position, uint64_t length)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISBLK(st.st_mode))
        return (int64_t)(position + length) <= kvmdb_file_size(fd) ? 0 : -ENOSPC;
    int r;
    do
        r = fallocate(fd, 0, (off_t)position, (off_t)length);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : 0;
}

int kvmdb_file_punch_hole(int fd, uint64_t position, uint64_t length)
{
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)position, (off_t)length) == 0)
        return 0;
    /* A file system that cannot: the space stays, and nothing is wrong. */
    return errno == EOPNOTSUPP ? 0 : -errno;
}

int kvmdb_file_truncate(int fd, uint64_t length)
{
    return ftruncate(fd, (off_t)length) < 0 ? -errno : 0;
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
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int kvmdb_directory_flush(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return r;
}
