package org.kvmdb;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.NativeFile;
import org.kvmdb.ffi.StorageException;

/** Creates, checks and flushes the directory of a store, and words its errors. */
final class StoreDirectory {

    private static final System.Logger LOG = System.getLogger(StoreDirectory.class.getName());
    private static final int STICKY = 01000;

    private StoreDirectory() {}

    /** Creates the missing directories of the path. Returns them, the store's directory first. */
    static List<Path> make(Path directory) {
        if (Files.isDirectory(directory)) {
            return List.of();
        }
        final List<Path> missing = new ArrayList<>();
        for (Path path = directory.toAbsolutePath(); isMissing(path); path = path.getParent()) {
            missing.add(path);
        }
        try {
            Files.createDirectories(directory);
            return missing;
        } catch (IOException e) {
            deleteEmpty(missing);
            throw e instanceof FileAlreadyExistsException
                    ? isFile(directory)
                    : new StorageException(
                            ErrorCode.IO, "cannot create the directory %s: %s".formatted(directory, reason(e)), e);
        }
    }

    /** A dangling link exists, and a null path is not missing. */
    private static boolean isMissing(Path path) {
        return path != null && !Files.exists(path, LinkOption.NOFOLLOW_LINKS);
    }

    /** The reason, worded for a sentence: the JDK's message is often only a path. */
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

    /** Makes the directory's entries durable, and those of the directories created for it. */
    static void flush(Path directory, List<Path> made) {
        NativeFile.flushDirectory(directory.toAbsolutePath()); // an empty path is the working directory
        for (Path path : made) {
            NativeFile.flushDirectory(path.getParent());
        }
    }

    /** Anyone who may write to the directory can replace the store's file, whatever the file's own permissions. */
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

    /** Deletes the directories that were created, except those that are no longer empty. */
    static void deleteEmpty(List<Path> made) {
        for (Path path : made) {
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                LOG.log(System.Logger.Level.DEBUG, "cannot delete " + path, e);
            }
        }
    }
}
