package org.kvmdb.tools.bench;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import jnr.ffi.LibraryLoader;

/** Files of benchmarks. */
final class BenchFiles {

    private static final int FADV_DONTNEED = 4;
    private static final int O_RDONLY = 0;

    /** What the JDK has no call for. */
    public interface LibC {
        int open(String path, int flags);

        int close(int fd);

        int posix_fadvise(int fd, long offset, long lengthBytes, int advice);
    }

    private static final class Holder {
        static final LibC C = LibraryLoader.create(LibC.class).load("c");
    }

    private BenchFiles() {}

    private static List<Path> filesOf(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    /** Reads all files of a store once, so that the operating system has them in its cache. */
    static void warm(Path directory) throws IOException {
        for (Path file : filesOf(directory)) {
            BenchContext.warm(file);
        }
    }

    /** Makes the operating system drop the files of a directory from its cache; the store may be open. */
    static void cool(Path directory) throws IOException {
        for (Path file : filesOf(directory)) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                channel.force(false); // what is not written yet stays
            }
            int fd = Holder.C.open(file.toString(), O_RDONLY);
            if (fd < 0 || Holder.C.posix_fadvise(fd, 0, 0, FADV_DONTNEED) != 0) {
                throw new IOException("cannot drop from the cache: " + file);
            }
            Holder.C.close(fd);
        }
    }
}
