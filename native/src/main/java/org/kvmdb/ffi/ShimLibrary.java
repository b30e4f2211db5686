package org.kvmdb.ffi;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import jnr.ffi.LibraryLoader;
import jnr.ffi.LibraryOption;

/** Loads {@code libkvmdb.so} out of the jar, once a process. */
public final class ShimLibrary {

    /** What the dynamic linker says of a file system that is mounted noexec. */
    private static final String NOT_RUN = "failed to map segment";

    /** Not a constant of a class that is initialized once: too few descriptors at that moment would bar it for ever. */
    private static volatile Shim shim;

    private ShimLibrary() {}

    /** The loaded shim, or a {@link StorageException} that says what this machine lacks; then the next call tries again. */
    public static Shim shim() {
        final Shim loaded = shim;
        return loaded == null ? loadOnce() : loaded;
    }

    private static synchronized Shim loadOnce() {
        if (shim == null) {
            shim = load();
        }
        return shim;
    }

    private static Shim load() {
        final String platform = platform();
        final String resource = platform + "/libkvmdb.so";
        try (InputStream in = ShimLibrary.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new StorageException(
                        ErrorCode.UNSUPPORTED, "this build has no native library for " + platform + "; build it there");
            }
            return load(in);
        } catch (IOException | LinkageError e) {
            throw new StorageException(
                    ErrorCode.UNSUPPORTED,
                    "cannot load the native library for %s from %s: %s%s"
                            .formatted(platform, System.getProperty("java.io.tmpdir"), reason(e), advice(e)),
                    e);
        }
    }

    /** Where it is the directory that is wrong: it cannot be written, or is mounted so that nothing in it is run. */
    private static String advice(Throwable failure) {
        return failure instanceof IOException || String.valueOf(failure.getMessage()).contains(NOT_RUN)
                ? "; name a directory whose files can be written and run, by -Djava.io.tmpdir=DIR, or for the kvmdb command by"
                        + " TMPDIR=DIR"
                : "";
    }

    private static Shim load(InputStream in) throws IOException {
        final Path copy = Files.createTempFile("libkvmdb", ".so");
        try {
            Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
            return LibraryLoader.loadLibrary(
                    Shim.class, Map.of(LibraryOption.LoadNow, Boolean.TRUE), copy.toString());
        } finally {
            // The mapping keeps the inode; no file is left behind, not even after a crash.
            Files.delete(copy);
        }
    }

    /** Some exceptions of files have the name of the file for a message. */
    private static String reason(Throwable failure) {
        return switch (failure) {
            case NoSuchFileException _ -> "no such directory";
            case AccessDeniedException _ -> "permission denied";
            // The loader adds where else it would have looked.
            default -> String.valueOf(failure.getMessage()).lines().findFirst().orElse(failure.toString());
        };
    }

    private static String platform() {
        final String arch = System.getProperty("os.arch");
        return System.getProperty("os.name").toLowerCase(java.util.Locale.ROOT)
                + '-'
                + (arch.equals("amd64") ? "x86_64" : arch);
    }
}
