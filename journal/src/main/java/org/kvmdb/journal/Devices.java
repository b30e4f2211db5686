package org.kvmdb.journal;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * Provides the device for a path: the file of that name, unless another device is mounted at its directory. This is the
 * only place where a test harness substitutes recording or failing devices for everything that opens a store.
 * Thread-safe.
 */
public final class Devices {

    /** Makes and opens devices; {@link Devices#FILES} is the usual one. */
    public interface Source {

        /** Creates a device, which must not exist, and makes its name durable. */
        Device create(Path path);

        Device open(Path path, boolean readOnly);

        boolean exists(Path path);
    }

    /** Files, as {@link FileDevice} opens them. */
    public static final Source FILES = new Source() {
        @Override
        public Device create(Path path) {
            return FileDevice.create(path);
        }

        @Override
        public Device open(Path path, boolean readOnly) {
            return FileDevice.open(path, readOnly);
        }

        @Override
        public boolean exists(Path path) {
            // What cannot be looked at is for open to tell why; a link is something, too.
            return !Files.notExists(path, LinkOption.NOFOLLOW_LINKS);
        }
    };

    /** What is mounted until it is closed. */
    public interface Mount extends AutoCloseable {
        @Override
        void close();
    }

    private static final Map<Path, Source> MOUNTS = new ConcurrentHashMap<>();

    private Devices() {}

    /** Has the paths directly within a directory come from another source, in this process. */
    public static Mount mount(Path directory, Source source) {
        final Path key = keyOf(directory);
        if (MOUNTS.putIfAbsent(key, source) != null) {
            throw new StorageException(
                    ErrorCode.ALREADY_EXISTS, "devices are mounted already at %s: unmount them".formatted(key));
        }
        return () -> MOUNTS.remove(key, source);
    }

    private static Path keyOf(Path directory) {
        return directory.toAbsolutePath().normalize();
    }

    private static Source sourceOf(Path path) {
        return MOUNTS.isEmpty() ? FILES : MOUNTS.getOrDefault(keyOf(path).getParent(), FILES);
    }

    public static Device create(Path path) {
        return sourceOf(path).create(path);
    }

    public static Device open(Path path, boolean readOnly) {
        return sourceOf(path).open(path, readOnly);
    }

    public static boolean exists(Path path) {
        return sourceOf(path).exists(path);
    }
}
