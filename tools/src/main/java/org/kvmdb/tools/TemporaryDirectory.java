package org.kvmdb.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A directory that goes away with its owner, also on Ctrl-C, unless it is to be kept. */
public final class TemporaryDirectory implements AutoCloseable {

    private static final int ATTEMPTS = 10;
    private static final long ATTEMPT_MILLIS = 50;

    private final Path path;
    private final Thread hook = new Thread(this::delete, "delete-temporary");
    private volatile boolean kept;

    private TemporaryDirectory(Path path) {
        this.path = path;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    public static TemporaryDirectory create(Path parent, String prefix) throws IOException {
        Files.createDirectories(parent);
        return new TemporaryDirectory(Files.createTempDirectory(parent, prefix));
    }

    public Path path() {
        return path;
    }

    public void keep() {
        kept = true;
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // Shutting down: the hook does it.
            return;
        }
        delete();
    }

    /** Whoever is being killed at the same time may still make a file or two. */
    private void delete() {
        IOException failure = null;
        for (int attempt = 0; attempt < ATTEMPTS && !kept; attempt++) {
            try {
                deleteTree(path);
                return;
            } catch (IOException e) {
                failure = e;
                pause();
            }
        }
        if (failure != null) {
            System.err.println("kvmdb: could not delete " + path + ": " + failure.getMessage());
        }
    }

    private static void pause() {
        try {
            Thread.sleep(ATTEMPT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        List<Path> deepestFirst;
        try (Stream<Path> paths = Files.walk(root)) {
            deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path entry : deepestFirst) {
            Files.deleteIfExists(entry);
        }
    }
}
