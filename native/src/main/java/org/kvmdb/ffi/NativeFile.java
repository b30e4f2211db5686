package org.kvmdb.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * A file or block device, with every transfer complete or an exception. Thread-safe; the owner closes it. Errors are
 * {@link StorageException}s whose code follows the errno ({@link ErrorCode#STORE_FULL} for ENOSPC and its like,
 * {@link ErrorCode#IO} for most others).
 */
public final class NativeFile implements AutoCloseable {

    /** How to open; the values are those of {@code enum kvmdb_file_mode}. */
    public static final int CREATE = 1;

    public static final int READ_ONLY = 2;
    public static final int DIRECT = 4;
    public static final int UNNAMED = 8;

    private final String name;
    private final int fd;
    private boolean closed;

    private NativeFile(String name, int fd) {
        this.name = name;
        this.fd = fd;
    }

    /** Opens a file; the mode is an or of the constants of this class. */
    public static NativeFile open(Path path, int mode) {
        return open(path, mode, path.toString());
    }

    /** As {@link #open(Path, int)}, of a file that errors name otherwise. */
    public static NativeFile open(Path path, int mode, String name) {
        // Made before the descriptor is: without memory for it that would be lost.
        final String at = path.toString();
        final Object[] what = {at};
        try (Arena arena = Arena.ofConfined()) {
            final long address = arena.allocateFrom(at).address();
            return new NativeFile(name, Errno.check(ShimLibrary.shim().kvmdb_file_open(address, mode), "open %s", what));
        }
    }

    /** A file that lives in memory and vanishes with its descriptor. */
    public static NativeFile inMemory(String name) {
        try (Arena arena = Arena.ofConfined()) {
            final long address = arena.allocateFrom(name).address();
            return new NativeFile(
                    name, Errno.check(ShimLibrary.shim().kvmdb_file_open_memory(address), "create a file in memory"));
        }
    }

    /**
     * A directory, by a descriptor that only names it. Beneath {@code /proc/self/fd/} followed by {@link #fd} its entries
     * have short paths, and the same ones whatever becomes of the directory's own path.
     */
    public static NativeFile openDirectory(Path directory) {
        final String name = directory.toString();
        final Object[] what = {name};
        try (Arena arena = Arena.ofConfined()) {
            final long address = arena.allocateFrom(name).address();
            return new NativeFile(
                    name, Errno.check(ShimLibrary.shim().kvmdb_directory_open(address), "open directory %s", what));
        }
    }

    /** The descriptor, for the fault handler's reads. It belongs to this object. */
    public int fd() {
        return fd;
    }

    /** Takes a lock on the inode (it holds through links, and also within this process), or returns false. */
    public boolean tryLock(boolean exclusive) {
        final int result = ShimLibrary.shim().kvmdb_file_lock(fd, exclusive ? 1 : 0);
        if (result == -Errno.EAGAIN) {
            return false;
        }
        Errno.check(result, "lock %s", name);
        return true;
    }

    /** Reads to the end of the buffer or of the file and returns the number of bytes read. */
    public long read(long position, MemorySegment buffer) {
        return Errno.check(
                ShimLibrary.shim().kvmdb_file_read(fd, buffer.address(), buffer.byteSize(), position),
                "read %d bytes at %d of %s",
                buffer.byteSize(),
                position,
                name);
    }

    public void write(long position, MemorySegment buffer) {
        Errno.check(
                ShimLibrary.shim().kvmdb_file_write(fd, buffer.address(), buffer.byteSize(), position),
                "write %d bytes at %d of %s",
                buffer.byteSize(),
                position,
                name);
    }

    /** Makes everything durable that was written before this call (fdatasync). Never retry it after a failure. */
    public void flush() {
        Errno.check(ShimLibrary.shim().kvmdb_file_flush(fd), "flush %s", name);
    }

    /** Starts writing the range to the device without waiting; a hint. */
    public void writeBack(long position, long lengthBytes) {
        ShimLibrary.shim().kvmdb_file_write_back(fd, position, lengthBytes);
    }

    /** Has the file system grant space for the range, growing the file when it lies behind its end. */
    public void allocate(long position, long lengthBytes) {
        Errno.check(
                ShimLibrary.shim().kvmdb_file_allocate(fd, position, lengthBytes),
                "allocate %d bytes at %d of %s",
                lengthBytes,
                position,
                name);
    }

    /** Gives the space of the range back to the file system; it reads as zeros afterwards. */
    public void punchHole(long position, long lengthBytes) {
        Errno.check(
                ShimLibrary.shim().kvmdb_file_punch_hole(fd, position, lengthBytes),
                "give back %d bytes at %d of %s",
                lengthBytes,
                position,
                name);
    }

    public void truncate(long lengthBytes) {
        Errno.check(ShimLibrary.shim().kvmdb_file_truncate(fd, lengthBytes), "truncate %s", name);
    }

    public long sizeBytes() {
        return Errno.check(ShimLibrary.shim().kvmdb_file_size(fd), "size of %s", name);
    }

    /** What the file system holds for the file; holes do not count. */
    public long allocatedBytes() {
        return Errno.check(ShimLibrary.shim().kvmdb_file_allocated_bytes(fd), "size of %s", name);
    }

    /** Makes the entries of a directory durable. */
    public static void flushDirectory(Path directory) {
        try (Arena arena = Arena.ofConfined()) {
            final long address = arena.allocateFrom(directory.toString()).address();
            Errno.check(ShimLibrary.shim().kvmdb_directory_flush(address), "flush directory %s", directory);
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Errno.check(ShimLibrary.shim().kvmdb_file_close(fd), "close %s", name);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
