package org.kvmdb.journal;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.NativeFile;
import org.kvmdb.ffi.StorageException;

/** A plain file or a block device, locked while open: exclusively, or shared when read-only. */
public final class FileDevice extends NativeFileDevice {

    private static final String UNPUBLISHED_SUFFIX = ".new";

    /**
     * A write of that much goes past the page cache: copying it there and writing it back from there takes the processor several times
     * as long, and crowds out what is read. Smaller ones wait for nothing but their flush.
     */
    private static final int DIRECT_WRITE_BYTES_MIN = 256 << 10;

    /** What positions, lengths and memory are multiples of where nothing asks for more. */
    private static final int DIRECT_ALIGNMENT = 4096;

    /** A second descriptor past the page cache; null where the file system has no such thing. */
    private final NativeFile direct;

    private final boolean readOnly;

    /** The most that it was seen to be long. */
    private volatile long lengthSeen;

    /** Where a created file lies that is not published; null otherwise. */
    private Path part;

    /** Where it is to lie. */
    private Path path;

    private FileDevice(NativeFile file, NativeFile direct, boolean readOnly) {
        super(file);
        this.direct = direct;
        this.readOnly = readOnly;
        lengthSeen = file.sizeBytes();
    }

    /**
     * Creates a file, which must not exist. It has another name until it is published, so that nothing but a whole store is
     * ever found under this one; what a killed creation has left the next one deletes.
     */
    public static FileDevice create(Path path) {
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new StorageException(ErrorCode.ALREADY_EXISTS, "%s exists already".formatted(path));
        }
        final Path part = path.resolveSibling(path.getFileName() + UNPUBLISHED_SUFFIX);
        deleteLeftover(part);
        final NativeFile file = NativeFile.open(part, NativeFile.CREATE, path.toString());
        try {
            final FileDevice device = locked(file, part, false);
            device.part = part;
            device.path = path;
            return device;
        } catch (RuntimeException | Error e) {
            delete(part, e);
            throw e;
        }
    }

    /** Unless it is in use. Whoever deletes the name holds the lock of what has it. */
    private static void deleteLeftover(Path part) {
        if (!Files.exists(part, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (FileDevice leftover = open(part, false)) {
            if (Files.isSameFile(Path.of("/proc/self/fd/" + leftover.fd()), part)) {
                Files.delete(part);
            }
        } catch (IOException e) {
            throw new StorageException(
                    ErrorCode.IO, "cannot delete %s, which a killed creation has left: %s".formatted(part, e), e);
        }
    }

    @Override
    public void publish() {
        if (part == null) {
            return;
        }
        try {
            // Nobody else can be here: who creates a file of that name holds the lock of the one that is being made.
            Files.move(part, path);
        } catch (FileAlreadyExistsException e) {
            throw new StorageException(ErrorCode.ALREADY_EXISTS, "%s exists already".formatted(path), e);
        } catch (IOException e) {
            throw new StorageException(ErrorCode.IO, "cannot name the new file %s: %s".formatted(path, e), e);
        }
        part = path;
        NativeFile.flushDirectory(path.toAbsolutePath().getParent());
        part = null;
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
        NativeFile direct = null;
        try {
            if (!file.tryLock(!readOnly)) {
                throw new StorageException(
                        ErrorCode.STORE_IN_USE, "store in use: %s is open elsewhere; close it there".formatted(path));
            }
            direct = openDirect(path, readOnly);
            return new FileDevice(file, direct, readOnly);
        } catch (RuntimeException | Error e) {
            file.close();
            if (direct != null) {
                direct.close();
            }
            throw e;
        }
    }

    private static NativeFile openDirect(Path path, boolean readOnly) {
        try {
            return NativeFile.open(path, NativeFile.DIRECT | (readOnly ? NativeFile.READ_ONLY : 0));
        } catch (StorageException e) {
            if (e.code() == ErrorCode.INVALID) {
                return null; // tmpfs of older kernels and its like: what is cached is all there is
            }
            throw e;
        }
    }

    @Override
    public long readDurable(long position, MemorySegment buffer) {
        try {
            return (direct == null ? file : direct).read(position, buffer);
        } catch (StorageException e) {
            if (direct != null && e.code() == ErrorCode.INVALID) { // it wants more of an alignment than that
                return file.read(position, buffer);
            }
            throw e;
        }
    }

    @Override
    public void write(long position, MemorySegment buffer) {
        if (!isDirect(position, buffer) || !isWrittenDirectly(position, buffer)) {
            file.write(position, buffer);
        }
    }

    /** False when the file system wants more of an alignment than that, or has none: what it took may be a part. */
    private boolean isWrittenDirectly(long position, MemorySegment buffer) {
        try {
            direct.write(position, buffer);
            return true;
        } catch (StorageException e) {
            if (e.code() == ErrorCode.INVALID) {
                return false;
            }
            throw e;
        }
    }

    private boolean isDirect(long position, MemorySegment buffer) {
        return direct != null
                && buffer.byteSize() >= DIRECT_WRITE_BYTES_MIN
                && (position | buffer.byteSize() | buffer.address()) % DIRECT_ALIGNMENT == 0;
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
    public void checkInPlace(long lengthBytes) {
        checkNamed();
        checkLength(lengthBytes);
    }

    private void checkLength(long lengthBytes) {
        final long expected = Math.max(lengthBytes, lengthSeen);
        final long length = file.sizeBytes();
        if (length < expected) {
            throw new StorageException(
                    ErrorCode.FAILED,
                    "%s was cut off at %d bytes by another process, of at least %d; restore the store from a copy"
                            .formatted(file, length, expected));
        }
        lengthSeen = length;
    }

    private void checkNamed() {
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
            if (part != null) {
                deleteUnpublished();
            }
            if (direct != null) {
                direct.close();
            }
        } finally {
            super.close();
        }
    }

    /** What did not come to be a store must not stand in the way of the next try. Still under the lock. */
    private void deleteUnpublished() {
        try {
            Files.deleteIfExists(part);
            part = null;
        } catch (IOException e) {
            throw new StorageException(ErrorCode.IO, "cannot delete %s, which is no store: %s".formatted(part, e), e);
        }
    }
}
