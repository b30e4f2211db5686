package org.kvmdb.ffi;

/** Turns the negative errno that the shim returns into a {@link StorageException}: the one place that does. */
public final class Errno {

    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int EINTR = 4;
    public static final int EIO = 5;
    public static final int EAGAIN = 11;
    public static final int ENOMEM = 12;
    public static final int EACCES = 13;
    public static final int EBUSY = 16;
    public static final int EEXIST = 17;
    public static final int ENODEV = 19;
    public static final int ENOTDIR = 20;
    public static final int EISDIR = 21;
    public static final int EINVAL = 22;
    public static final int EMFILE = 24;
    public static final int EFBIG = 27;
    public static final int ENOSPC = 28;
    public static final int EROFS = 30;
    public static final int ENOSYS = 38;
    public static final int ELOOP = 40;
    public static final int EBADMSG = 74;
    public static final int ETIMEDOUT = 110;
    public static final int EDQUOT = 122;

    private Errno() {}

    /**
     * Returns the result when it is not negative, throws otherwise.
     *
     * @param what what failed then, a format when values follow. They stand in it only when it is thrown: the first message that
     *     is formatted loads a hundred classes
     */
    public static int check(int result, String what, Object... values) {
        check((long) result, what, values);
        return result;
    }

    /** As {@link #check(int, String, Object...)}. */
    public static long check(long result, String what, Object... values) {
        if (result < 0) {
            throw exception((int) result, values.length == 0 ? what : what.formatted(values));
        }
        return result;
    }

    /** The exception for a negative errno. */
    public static StorageException exception(int negativeErrno, String what) {
        final int errno = -negativeErrno;
        return new StorageException(codeOf(errno), what + " failed: " + explain(errno));
    }

    /** Whether that says that there is no room, and not that something is wrong. */
    static boolean isWantOfRoom(int errno) {
        return codeOf(errno) == ErrorCode.STORE_FULL;
    }

    /** What went wrong and what to do about it. */
    static String explain(int errno) {
        return describe(errno) + remedy(errno);
    }

    static ErrorCode codeOf(int errno) {
        return switch (errno) {
            case ENOSPC, EDQUOT, EFBIG -> ErrorCode.STORE_FULL;
            case ENOENT -> ErrorCode.NOT_A_STORE;
            case EEXIST -> ErrorCode.ALREADY_EXISTS;
            case EBUSY -> ErrorCode.BUSY;
            case ENOSYS -> ErrorCode.UNSUPPORTED;
            case EINVAL, ENODEV -> ErrorCode.INVALID;
            default -> ErrorCode.IO;
        };
    }

    static String describe(int errno) {
        return switch (errno) {
            case EPERM -> "operation not permitted (EPERM)";
            case ENOENT -> "no such file or directory (ENOENT)";
            case EINTR -> "interrupted, again and again (EINTR)";
            case EIO -> "input/output error (EIO)";
            case EAGAIN -> "to be tried again, again and again (EAGAIN)";
            case ENOMEM -> "out of memory or of address space (ENOMEM)";
            case EACCES -> "permission denied (EACCES)";
            case EBUSY -> "busy (EBUSY)";
            case EEXIST -> "already exists (EEXIST)";
            case ENODEV -> "is neither a file nor a block device (ENODEV)";
            case ENOTDIR -> "not a directory (ENOTDIR)";
            case EISDIR -> "is a directory (EISDIR)";
            case EINVAL -> "invalid argument (EINVAL)";
            case EMFILE -> "too many open files (EMFILE)";
            case EFBIG -> "file too large (EFBIG)";
            case ENOSPC -> "no space left (ENOSPC)";
            case EROFS -> "read-only file system (EROFS)";
            case ENOSYS -> "not implemented by this kernel (ENOSYS)";
            case ELOOP -> "is a symbolic link (ELOOP)";
            case EBADMSG -> "what was read is not what was written (EBADMSG)";
            case ETIMEDOUT -> "the device did not answer in time (ETIMEDOUT)";
            case EDQUOT -> "disk quota exceeded (EDQUOT)";
            default -> "errno " + errno;
        };
    }

    /** What to do about it, as the end of a sentence; empty where only the caller knows. */
    private static String remedy(int errno) {
        return switch (errno) {
            case EPERM -> "; see whether it is immutable (lsattr), or forbidden in this container";
            case EIO -> "; see the log of the kernel (dmesg)";
            case ENOMEM -> "; raise the limit of address space (ulimit -v), see vm.overcommit_memory and vm.max_map_count";
            case EACCES -> "; run as the user that owns it, or give this one the right";
            case ENODEV, EISDIR -> "; put a file there";
            case EMFILE -> "; raise the limit of open files (ulimit -n)";
            case EFBIG -> "; raise the limit of file sizes (ulimit -f)";
            case ENOSPC -> "; make room on the disk";
            case EROFS -> "; mount it for writing";
            case ELOOP -> "; put the file itself there, links are not followed";
            case EDQUOT -> "; make room, or raise the quota";
            default -> "";
        };
    }
}
