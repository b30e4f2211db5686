/*
 * Raw I/O on one file or block device. Every call transfers everything or fails: it returns 0 (or the count or
 * descriptor that it promises) or -errno, never prints and never exits.
 */
#ifndef KVMDB_DEVICE_IO_H
#define KVMDB_DEVICE_IO_H

#include <stdbool.h>
#include <stdint.h>

#define KVMDB_EXPORT __attribute__((visibility("default")))

enum kvmdb_file_mode {
    KVMDB_FILE_CREATE = 1,    /* O_CREAT | O_EXCL, mode 0600 */
    KVMDB_FILE_READ_ONLY = 2, /* no write access */
    KVMDB_FILE_DIRECT = 4,    /* O_DIRECT: past the page cache, 4 KiB alignment */
    KVMDB_FILE_UNNAMED = 8,   /* O_TMPFILE: path names a directory; the file vanishes with its descriptor */
};

/* Opens a regular file or block device, never through a symbolic link at the last component. Returns the descriptor. */
KVMDB_EXPORT int kvmdb_file_open(const char *path, int mode);
/* A file that lives in memory (memfd). Returns the descriptor. */
KVMDB_EXPORT int kvmdb_file_open_memory(const char *name);
KVMDB_EXPORT int kvmdb_file_close(int fd);
/* Takes an exclusive (or shared) lock on the inode, so that it also holds through links. -EWOULDBLOCK when held. */
KVMDB_EXPORT int kvmdb_file_lock(int fd, int exclusive);
/* Reads until length or the end of the file. Returns the bytes read. */
KVMDB_EXPORT int64_t kvmdb_file_read(int fd, void *buffer, uint64_t length, uint64_t position);
KVMDB_EXPORT int kvmdb_file_write(int fd, const void *buffer, uint64_t length, uint64_t position);
/* Makes everything written before this call durable (fdatasync). */
KVMDB_EXPORT int kvmdb_file_flush(int fd);
/* Starts to write dirty pages of the range to the device and does not wait. */
KVMDB_EXPORT int kvmdb_file_write_back(int fd, uint64_t position, uint64_t length);
KVMDB_EXPORT int kvmdb_file_allocate(int fd, uint64_t position, uint64_t length);
KVMDB_EXPORT int kvmdb_file_punch_hole(int fd, uint64_t position, uint64_t length);
KVMDB_EXPORT int kvmdb_file_truncate(int fd, uint64_t length);
KVMDB_EXPORT int64_t kvmdb_file_size(int fd);
/* Bytes that the file system holds for the file (holes not counted). */
KVMDB_EXPORT int64_t kvmdb_file_allocated_bytes(int fd);
/* Makes the entries of a directory durable. */
KVMDB_EXPORT int kvmdb_directory_flush(const char *path);
/* A descriptor that only names the directory, whatever becomes of the path; the caller closes it as a file. */
KVMDB_EXPORT int kvmdb_directory_open(const char *path);

/* Whether a call with that result is to be made again, as after a signal; waits a moment where that may help. Tries counts
 * those in a row, and is 0 at first and after progress. Async-signal-safe. */
bool device_tries_again(int64_t result, int *tries);

#endif
