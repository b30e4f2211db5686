package org.kvmdb.ffi;

/**
 * The one exception of the modules below {@code core}. Its {@link #code()} says what kind of failure it is, its message
 * states the fact and then the values. {@link #volume()}, {@link #lpn()} and {@link #ppn()} are set where one page is
 * to blame.
 */
public final class StorageException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final String volume;
    private final long lpn;
    private final long ppn;

    public StorageException(ErrorCode code, String message) {
        this(code, message, null);
    }

    public StorageException(ErrorCode code, String message, Throwable cause) {
        this(code, message, null, -1, 0, cause);
    }

    private StorageException(ErrorCode code, String message, String volume, long lpn, long ppn, Throwable cause) {
        super(message, cause);
        this.code = code;
        this.volume = volume;
        this.lpn = lpn;
        this.ppn = ppn;
    }

    /** A page that cannot be had: {@code detail} says why. */
    public static StorageException corruptPage(String volume, long lpn, long ppn, String detail) {
        return new StorageException(
                ErrorCode.CORRUPT_PAGE,
                "corrupt page: volume=%s lpn=%d ppn=%s: %s".formatted(volume, lpn, Ppn.toString(ppn), detail),
                volume,
                lpn,
                ppn,
                null);
    }

    public ErrorCode code() {
        return code;
    }

    /** Name of the volume of the page to blame, or null. */
    public String volume() {
        return volume;
    }

    /** Logical page number of the page to blame, or -1. */
    public long lpn() {
        return lpn;
    }

    /** Locator of the block to blame, or 0. */
    public long ppn() {
        return ppn;
    }
}
