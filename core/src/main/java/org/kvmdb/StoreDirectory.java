package org.kvmdb;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.NativeFile;
import org.kvmdb.ffi.StorageException;

/** The directory that a store lies in: its making, and what is said of it. */
final class StoreDirectory {

    private static final System.Logger LOG = System.getLogger(StoreDirectory.class.getName());
    private static final int STICKY = 01000;

    private StoreDirectory() {}

    /** Whether it had to be made. */
    static boolean make(Path directory) {
        try {
            if (Files.isDirectory(directory)) {
                return false;
            }
            Files.createDirectories(directory);
            return true;
        } catch (FileAlreadyExistsException e) {
            throw isFile(directory);
        } catch (IOException e) {
            throw new StorageException(ErrorCode.IO, "cannot create the directory %s: %s".formatted(directory, reason(e)), e);
        }
    }

    /** For a sentence: the JDK's messages are often a path alone. */
    static String reason(Exception failure) {
        return switch (failure) {
            case AccessDeniedException e -> "permission denied";
            case NoSuchFileException e -> "no such file or directory";
            case DirectoryNotEmptyException e -> "%s is a directory, and not empty".formatted(e.getFile());
            case FileSystemException e when e.getReason() != null -> e.getReason();
            default -> String.valueOf(failure.getMessage());
        };
    }

    static void checkIsNoFile(Path directory) {
        if (Files.isRegularFile(directory)) {
            throw isFile(directory);
        }
    }

    private static StorageException isFile(Path directory) {
        return new StorageException(
                ErrorCode.NOT_A_STORE, "%s is not a directory: name one for the store".formatted(directory));
    }

    /** Makes its entries durable, and its own name when it was made. */
    static void flush(Path directory, boolean wasMade) {
        final Path absolute = directory.toAbsolutePath(); // an empty path is the working directory
        NativeFile.flushDirectory(absolute);
        if (wasMade && absolute.getParent() != null) {
            NativeFile.flushDirectory(absolute.getParent());
        }
    }

    /** Whoever may write to the directory may put another file in the place of the store's, whatever the file's own rights. */
    static void warnIfOpenToAll(Path directory) {
        try {
            final int mode = (int) Files.getAttribute(directory, "unix:mode");
            if ((mode & STICKY) == 0 && Files.getPosixFilePermissions(directory).contains(PosixFilePermission.OTHERS_WRITE)) {
                LOG.log(System.Logger.Level.WARNING, describeOpenToAll(directory));
            }
        } catch (IOException | UnsupportedOperationException e) {
            LOG.log(System.Logger.Level.DEBUG, "cannot look at the rights of " + directory, e);
        }
    }

    static String describeOpenToAll(Path directory) {
        return "every user may replace the files of the store %s: take that right away (chmod o-w)".formatted(directory);
    }

    static void deleteQuietly(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "cannot delete %s: %s".formatted(file, reason(e)));
        }
    }

    /** Also one that somebody has put something into meanwhile, which stays. */
    static void deleteIfEmpty(Path directory) {
        try {
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "cannot delete " + directory, e);
        }
    }
}
