package org.kvmdb.tools;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** A file that appears when it is complete, and does not when writing it fails or is interrupted. */
final class PartFile {

    /** Writes the content. */
    interface Body {
        /** @param isNew whether it is a new file, which can seek; else a device or a pipe */
        void writeTo(FileChannel channel, boolean isNew) throws IOException;
    }

    private PartFile() {}

    static void write(Path target, Body body) throws IOException {
        try {
            writeAny(target, body);
        } catch (FileSystemException e) {
            throw e;
        } catch (IOException e) {
            // A write that fails does not know where to.
            FileSystemException failure = new FileSystemException(target.toString(), null, e.getMessage());
            failure.initCause(e);
            throw failure;
        }
    }

    private static void writeAny(Path target, Body body) throws IOException {
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            // A device or a pipe: nothing to put in its place.
            try (FileChannel channel = FileChannel.open(target, StandardOpenOption.WRITE)) {
                body.writeTo(channel, false);
            }
            return;
        }
        Path absolute = target.toAbsolutePath();
        Path part = absolute.resolveSibling(absolute.getFileName() + ".part");
        try (Interruption _ = Interruption.awaited()) {
            writePart(part, absolute, body);
        }
    }

    private static void writePart(Path part, Path target, Body body) throws IOException {
        try {
            try (FileChannel channel = FileChannel.open(
                    part, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                body.writeTo(channel, true);
                channel.force(true);
            }
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(part);
        }
    }
}
