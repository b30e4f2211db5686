package org.kvmdb.journal;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.NativeFile;
import org.kvmdb.ffi.StorageException;

/** A plain file or a block device, locked while open: exclusively, or shared when read-only. */
public final class FileDevice extends NativeFileDevice {

    /** A second descriptor past the page cache; null where the file system has no such thing. */
    private final NativeFile direct;

    private final boolean readOnly;

    private FileDevice(NativeFile file, NativeFile direct, boolean readOnly) {
        super(file);
        this.direct = direct;
        this.readOnly = readOnly;
    }

    /** Creates the file, which must not exist, and makes its name durable. When that fails there is no such file. */
    public static FileDevice create(Path path) {
        final NativeFile file = NativeFile.open(path, NativeFile.CREATE);
        try {
            final FileDevice device = locked(file, path, false);
            try {
                NativeFile.flushDirectory(path.toAbsolutePath().getParent());
                return device;
            } catch (RuntimeException | Error e) {
                device.close();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            delete(path, e);
            throw e;
        }
    }

    private static void delete(Path path, Throwable why) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            why.addSuppressed(e);
        }
    }

    public static FileDevice open(Path path, boolean readOnly) {
        return locked(NativeFile.open(path, readOnly ? NativeFile.READ_ONLY : 0), path, readOnly);
    }

    private static FileDevice locked(NativeFile file, Path path, boolean readOnly) {
        try {
            if (!file.tryLock(!readOnly)) {
                throw new StorageException(
                        ErrorCode.STORE_IN_USE, "store in use: %s is open elsewhere; close it there".formatted(path));
            }
            return new FileDevice(file, openDirect(path), readOnly);
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    private static NativeFile openDirect(Path path) {
        try {
            return NativeFile.open(path, NativeFile.READ_ONLY | NativeFile.DIRECT);
        } catch (StorageException e) {
            if (e.code() == ErrorCode.INVALID) {
                return null; // tmpfs of older kernels and its like: what is cached is all there is
            }
            throw e;
        }
    }

    @Override
    public long readDurable(long position, MemorySegment buffer) {
        return (direct == null ? file : direct).read(position, buffer);
    }

    @Override
    public void writeBack(long position, long lengthBytes) {
        file.writeBack(position, lengthBytes);
    }

    @Override
    public void flush() {
        file.flush();
    }

    @Override
    public boolean isReadOnly() {
        return readOnly;
    }

    @Override
    public void checkInPlace() {
        final Path descriptor = Path.of("/proc/self/fd/" + file.fd());
        try {
            if ((int) Files.getAttribute(descriptor, "unix:nlink") == 0) {
                throw new StorageException(
                        ErrorCode.FAILED,
                        "%s was deleted while it was open; until this process ends it can be copied from /proc/%d/fd/%d"
                                .formatted(file, ProcessHandle.current().pid(), file.fd()));
            }
        } catch (IOException e) {
            throw new StorageException(ErrorCode.IO, "cannot look at %s: %s".formatted(file, e), e);
        }
    }

    @Override
    public void close() {
        try {
            if (direct != null) {
                direct.close();
            }
        } finally {
            super.close();
        }
    }
}
