package org.kvmdb.tools.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Files of benchmarks. */
final class BenchFiles {

    private BenchFiles() {}

    /** Reads all files of a store once, so that the operating system has them in its cache. */
    static void warm(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                BenchContext.warm(file);
            }
        }
    }
}
