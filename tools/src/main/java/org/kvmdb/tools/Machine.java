package org.kvmdb.tools;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;

/** What was run, and on what. */
public final class Machine {

    private static final String COMMIT = "kvmdb.commit";

    private Machine() {}

    /** @param directory on the disk that was used */
    public static Facts facts(Path directory) throws IOException {
        FileStore disk = Files.getFileStore(directory);
        return new Facts()
                .text("version", "version", version())
                .text("commit", "commit", commit())
                .text("date", "date", LocalDate.now())
                .text("processor", "processor", line("/proc/cpuinfo", "model name"))
                .count("processors", "processors", Runtime.getRuntime().availableProcessors())
                .text("load before", "loadAverage", load())
                .text("memory", "memory", memory())
                .text("kernel", "kernel", System.getProperty("os.name") + " " + System.getProperty("os.version"))
                .text("huge pages", "transparentHugePages", hugePages())
                .text("file system", "fileSystem", disk.type() + " on " + disk.name())
                .text("JVM", "jvm", System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
    }

    /** Of the program, from its jar. */
    public static String version() {
        String version = Machine.class.getPackage().getImplementationVersion();
        return version == null ? "(not from a jar)" : version;
    }

    /** Which commit of the sources it was built from, as the script that started it says. */
    private static String commit() {
        return System.getProperty(COMMIT, "unknown");
    }

    /** For the virtual machine of a child whose report is to say the same. */
    static List<String> commitFlags() {
        String commit = System.getProperty(COMMIT);
        return commit == null ? List.of() : List.of("-D" + COMMIT + "=" + commit);
    }

    private static String memory() throws IOException {
        String words = line("/proc/meminfo", "MemTotal");
        return words.endsWith(" kB") ? Sizes.format(Sizes.parse(words.replace(" kB", "K"))) : words;
    }

    /** Of one, five and fifteen minutes: figures from a busy machine are worth little. */
    private static String load() throws IOException {
        Path file = Path.of("/proc/loadavg");
        return Files.isReadable(file) ? Files.readString(file).replaceAll("( \\S+){2}\\s*$", "") : "unknown";
    }

    private static String hugePages() throws IOException {
        Path file = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
        return Files.isReadable(file) ? Files.readString(file).strip() : "unknown";
    }

    private static String line(String file, String name) throws IOException {
        Path path = Path.of(file);
        if (!Files.isReadable(path)) {
            return "unknown";
        }
        return Files.readAllLines(path).stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("unknown");
    }
}
