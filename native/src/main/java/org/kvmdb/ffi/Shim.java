package org.kvmdb.ffi;

/**
 * The exports of {@code libkvmdb.so}, one method each; the C headers document them. Addresses are {@code long}s. A
 * negative result is an errno. Call through {@link ShimLibrary#shim()}.
 */
@SuppressWarnings("checkstyle:MethodName")
public interface Shim {

    long kvmdb_memory_reserve(long length);

    int kvmdb_memory_discard(long address, long length);

    int kvmdb_memory_release(long address, long length);

    int kvmdb_file_open(String path, int mode);

    int kvmdb_file_open_memory(String name);

    int kvmdb_file_close(int fd);

    int kvmdb_file_lock(int fd, int exclusive);

    long kvmdb_file_read(int fd, long buffer, long length, long position);

    int kvmdb_file_write(int fd, long buffer, long length, long position);

    int kvmdb_file_flush(int fd);

    int kvmdb_file_write_back(int fd, long position, long length);

    int kvmdb_file_allocate(int fd, long position, long length);

    int kvmdb_file_punch_hole(int fd, long position, long length);

    int kvmdb_file_truncate(int fd, long length);

    long kvmdb_file_size(int fd);

    long kvmdb_file_allocated_bytes(int fd);

    int kvmdb_directory_flush(String path);

    int kvmdb_space_reserve(long account, long bytes);

    void kvmdb_space_release(long account, long bytes);

    int kvmdb_space_grow(long account);
}
