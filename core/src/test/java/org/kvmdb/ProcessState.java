package org.kvmdb;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What this process holds, as the kernel tells.
 *
 * @param descriptors open files but for what the virtual machine opens for itself; what each is, in order
 * @param storeThreads names of threads of the store
 * @param mappings ranges of address space
 * @param anonymousBytes memory that is no file's
 */
record ProcessState(List<String> descriptors, List<String> storeThreads, long mappings, long anonymousBytes) {

    private static final Path SELF = Path.of("/proc/self");

    static ProcessState now() throws IOException {
        return new ProcessState(descriptorsNow(), threadsNow(), mappingsNow(), anonymousBytesNow());
    }

    private static List<String> descriptorsNow() throws IOException {
        final Map<Integer, String> found = new TreeMap<>();
        try (Stream<Path> links = Files.list(SELF.resolve("fd"))) {
            for (Path link : (Iterable<Path>) links::iterator) {
                final String target = targetOf(link);
                if (!target.isEmpty() && !isOfTheMachine(target)) {
                    found.put(Integer.parseInt(link.getFileName().toString()), target);
                }
            }
        }
        return List.copyOf(found.values());
    }

    /** Empty when it is closed by now, as that of the list itself is. */
    private static String targetOf(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return "";
        }
    }

    private static boolean isOfTheMachine(String target) {
        return target.endsWith(".jar") || target.endsWith(".jsa") || target.endsWith("/lib/modules")
                || target.endsWith("/fd") || target.startsWith("/dev/") && target.contains("random");
    }

    private static List<String> threadsNow() {
        final List<String> names = new ArrayList<>();
        Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("kvmdb"))
                .sorted()
                .forEach(names::add);
        return names;
    }

    private static long mappingsNow() throws IOException {
        try (Stream<String> lines = Files.lines(SELF.resolve("maps"))) {
            return lines.count();
        }
    }

    private static long anonymousBytesNow() throws IOException {
        return field("RssAnon:") << 10;
    }

    /** Address space in use. */
    static long addressSpaceBytes() throws IOException {
        return field("VmSize:") << 10;
    }

    private static long field(String name) throws IOException {
        for (String line : Files.readAllLines(SELF.resolve("status"))) {
            if (line.startsWith(name)) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IOException("no " + name + " in /proc/self/status");
    }

    /** What this holds that was not held before; empty when nothing. */
    String leakedSince(ProcessState before, long mappingsSlack, long anonymousSlackBytes) {
        final StringBuilder leaked = new StringBuilder();
        final List<String> more = new ArrayList<>(descriptors);
        before.descriptors.forEach(more::remove);
        if (!more.isEmpty()) {
            leaked.append("%d descriptors: %s; ".formatted(more.size(), more));
        }
        final List<String> threads = new ArrayList<>(storeThreads);
        before.storeThreads.forEach(threads::remove);
        if (!threads.isEmpty()) {
            leaked.append("threads: %s; ".formatted(threads));
        }
        if (mappings > before.mappings + mappingsSlack) {
            leaked.append("mappings: %d where there were %d; ".formatted(mappings, before.mappings));
        }
        if (anonymousBytes > before.anonymousBytes + anonymousSlackBytes) {
            leaked.append("memory: %d bytes where there were %d; ".formatted(anonymousBytes, before.anonymousBytes));
        }
        return leaked.toString();
    }
}
