package org.kvmdb.tools.peers;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import jnr.ffi.LibraryLoader;

/** What the JDK has no call for: advice to the kernel about files and mappings. */
final class LibC {

    private static final int MADV_RANDOM = 1;
    private static final int FADV_RANDOM = 1;
    private static final int FADV_DONTNEED = 4;
    private static final int O_RDONLY = 0;

    /** The functions of the library, by their own names. */
    public interface Functions {
        int madvise(long address, long lengthBytes, int advice);

        int posix_fadvise(int fd, long offset, long lengthBytes, int advice);

        int open(String path, int flags);

        int close(int fd);
    }

    private static final Functions C = LibraryLoader.create(Functions.class).load("c");

    private LibC() {}

    static void adviseRandom(MemorySegment mapping) throws IOException {
        if (C.madvise(mapping.address(), mapping.byteSize(), MADV_RANDOM) != 0) {
            throw new IOException("madvise(MADV_RANDOM) failed");
        }
    }

    /**
     * Of a file that this process has open, wherever: nothing is read ahead, and nothing comes into the page cache in large
     * folios, of which a small write would write more than itself.
     */
    static void adviseRandom(Path file) throws IOException {
        Path real = file.toRealPath();
        List<Path> descriptors;
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            descriptors = all.toList();
        }
        for (Path descriptor : descriptors) {
            // That of the listing is closed by now.
            if (Files.exists(descriptor) && Files.readSymbolicLink(descriptor).equals(real)) {
                int fd = Integer.parseInt(descriptor.getFileName().toString());
                if (C.posix_fadvise(fd, 0, 0, FADV_RANDOM) != 0) {
                    throw new IOException("posix_fadvise(POSIX_FADV_RANDOM) failed on " + file);
                }
            }
        }
    }

    /** Writes files back and drops them from the page cache, as far as nobody has them mapped. */
    static void dropCaches(Path directory) throws IOException {
        List<Path> files;
        try (Stream<Path> tree = Files.walk(directory)) {
            files = tree.filter(Files::isRegularFile).toList();
        }
        for (Path file : files) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                channel.force(false);
            }
            int fd = C.open(file.toString(), O_RDONLY);
            if (fd < 0) {
                throw new IOException("cannot open " + file);
            }
            try {
                C.posix_fadvise(fd, 0, 0, FADV_DONTNEED);
            } finally {
                C.close(fd);
            }
        }
    }
}
