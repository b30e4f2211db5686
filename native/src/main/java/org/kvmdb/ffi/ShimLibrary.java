package org.kvmdb.ffi;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import jnr.ffi.LibraryLoader;
import jnr.ffi.LibraryOption;

/** Loads {@code libkvmdb.so} out of the jar, once a process. */
public final class ShimLibrary {

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
            final Path copy = Files.createTempFile("libkvmdb", ".so");
            try {
                Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
                return LibraryLoader.loadLibrary(
                        Shim.class, Map.of(LibraryOption.LoadNow, Boolean.TRUE), copy.toString());
            } finally {
                // The mapping keeps the inode; no file is left behind, not even after a crash.
                Files.delete(copy);
            }
        } catch (IOException | LinkageError e) {
            throw new StorageException(
                    ErrorCode.UNSUPPORTED, "cannot load the native library for " + platform + ": " + e.getMessage(), e);
        }
    }

    private static String platform() {
        final String arch = System.getProperty("os.arch");
        return System.getProperty("os.name").toLowerCase(java.util.Locale.ROOT)
                + '-'
                + (arch.equals("amd64") ? "x86_64" : arch);
    }
}
