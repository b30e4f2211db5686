package org.kvmdb.tools.kill;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/**
 * What makes thousands of children start fast: this process's class path with each directory packed into a jar, and the
 * virtual machine's archive of the classes that a first child has loaded, which takes jars only.
 */
public final class ChildArchive {

    /** The collector and the compiler that are ready first; a heap that is small, as the host may have many children. */
    private static final List<String> FAST_START = List.of(
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx64m",
            "-XX:-CreateCoredumpOnCrash",
            "-XX:-UsePerfData",
            "-Xlog:disable",
            "-Xlog:all=error:stdout",
            "-Xlog:aot*=off:stdout",
            "-Xlog:cds*=off:stdout");

    private final Path file;
    private final String classPath;

    private ChildArchive(Path file, String classPath) {
        this.file = file;
        this.classPath = classPath;
    }

    /** @param directory an empty one, to be kept as long as children run */
    public static ChildArchive in(Path directory) throws IOException {
        return in(directory, System.getProperty("java.class.path"));
    }

    /** As {@link #in(Path)}, with a class path of the children's own. */
    public static ChildArchive in(Path directory, String classPath) throws IOException {
        Files.createDirectories(directory);
        List<String> entries = new ArrayList<>();
        for (String entry : classPath.split(File.pathSeparator)) {
            Path path = Path.of(entry).toAbsolutePath();
            if (Files.isDirectory(path)) {
                path = pack(path, directory.resolve("classes-" + entries.size() + ".jar"));
            }
            entries.add(path.toString());
        }
        return new ChildArchive(directory.resolve("children.aot"), String.join(File.pathSeparator, entries));
    }

    private static Path pack(Path root, Path jar) throws IOException {
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
                Stream<Path> paths = Files.walk(root)) {
            for (Path path : (Iterable<Path>) paths.filter(Files::isRegularFile).sorted()::iterator) {
                out.putNextEntry(new ZipEntry(root.relativize(path).toString()));
                Files.copy(path, out);
            }
        }
        return jar;
    }

    String classPath() {
        return classPath;
    }

    /** For the child that makes the archive, which has to end in order. */
    List<String> trainingFlags() {
        return with("-XX:AOTCacheOutput=" + file);
    }

    /** Without an archive where there is none. */
    List<String> flags() {
        return Files.exists(file) ? with("-XX:AOTCache=" + file) : FAST_START;
    }

    private static List<String> with(String flag) {
        List<String> flags = new ArrayList<>(FAST_START);
        flags.add(flag);
        return flags;
    }
}
