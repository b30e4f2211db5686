package org.kvmdb.tools.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A limit on the memory of a process, its page cache counted: a control group. Of version 1 below the root of its
 * hierarchy, of version 2 below the group of this process where that is delegated to us; else a scope that the user's
 * systemd makes.
 */
abstract class MemoryLimit {

    private static final Path ROOT_1 = Path.of("/sys/fs/cgroup/memory");
    private static final Path ROOT_2 = Path.of("/sys/fs/cgroup");

    private final String what;

    private MemoryLimit(String what) {
        this.what = what;
    }

    /** What is used, in words. */
    final String what() {
        return what;
    }

    /** A new limit for one process. */
    abstract Held hold(String name, long limitBytes) throws IOException;

    /** Of one process; closed when that has ended. */
    interface Held extends AutoCloseable {

        /** What the process is started by. */
        List<String> launcher();

        @Override
        void close() throws IOException;
    }

    /** One that works here, having been tried; empty when there is none. */
    static Optional<MemoryLimit> find() {
        List<MemoryLimit> candidates = new ArrayList<>();
        candidates.add(new ControlGroup("cgroup v1", ROOT_1, List.of("memory.limit_in_bytes")));
        ownGroup().ifPresent(group ->
                candidates.add(new ControlGroup("cgroup v2", group, List.of("memory.max"))));
        candidates.add(new SystemdScope());
        return candidates.stream().filter(MemoryLimit::works).findFirst();
    }

    private static Optional<Path> ownGroup() {
        try {
            return Files.readAllLines(Path.of("/proc/self/cgroup")).stream()
                    .filter(line -> line.startsWith("0::/"))
                    .map(line -> ROOT_2.resolve(line.substring("0::/".length())))
                    .filter(group -> Files.exists(group.resolve("cgroup.controllers")))
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private boolean works() {
        try (Held held = hold("try-" + ProcessHandle.current().pid(), 64L << 20)) {
            List<String> command = new ArrayList<>(held.launcher());
            command.add("true");
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static final class ControlGroup extends MemoryLimit {

        private static final int REMOVE_ATTEMPTS = 50;
        private static final long REMOVE_MILLIS = 20;

        private final Path parent;
        private final List<String> limitFiles;

        ControlGroup(String what, Path parent, List<String> limitFiles) {
            super(what);
            this.parent = parent;
            this.limitFiles = limitFiles;
        }

        @Override
        Held hold(String name, long limitBytes) throws IOException {
            Path group = Files.createDirectory(parent.resolve("kvmdb-peers-" + name));
            try {
                for (String file : limitFiles) {
                    Path limit = group.resolve(file);
                    if (!Files.exists(limit)) {
                        throw new IOException("no memory controller in " + parent);
                    }
                    Files.writeString(limit, Long.toString(limitBytes));
                }
            } catch (IOException e) {
                Files.delete(group);
                throw e;
            }
            return new Held() {
                @Override
                public List<String> launcher() {
                    // The shell enters the group and becomes the process: all that it ever has is counted.
                    return List.of("sh", "-c", "echo $$ > \"$0\"/cgroup.procs && exec \"$@\"", group.toString());
                }

                @Override
                public void close() throws IOException {
                    remove(group);
                }
            };
        }

        /** A process that was killed leaves its group a moment later. */
        private static void remove(Path group) throws IOException {
            for (int attempt = 1; ; attempt++) {
                try {
                    Files.delete(group);
                    return;
                } catch (IOException e) {
                    if (attempt == REMOVE_ATTEMPTS) {
                        throw e;
                    }
                }
                try {
                    Thread.sleep(REMOVE_MILLIS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
    }

    private static final class SystemdScope extends MemoryLimit {

        SystemdScope() {
            super("systemd-run --user --scope");
        }

        @Override
        Held hold(String name, long limitBytes) {
            return new Held() {
                @Override
                public List<String> launcher() {
                    return List.of(
                            "systemd-run", "--user", "--scope", "--quiet",
                            "-p", "MemoryMax=" + limitBytes,
                            "-p", "MemorySwapMax=0");
                }

                @Override
                public void close() {}
            };
        }
    }
}
