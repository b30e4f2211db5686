package org.kvmdb.ffi;

/**
 * What went wrong, for code above the modules that throw {@link StorageException}: the public API maps each constant
 * to one exception type.
 */
public enum ErrorCode {
    /** A page, or a map node on the way to it, that no good copy could be read of. */
    CORRUPT_PAGE,
    /** A structure of the store that is not a page and that no good copy could be read of. */
    CORRUPT_STORE,
    /** No room for what was asked; nothing durable has changed. */
    STORE_FULL,
    /** Another process, or another {@code Store} of this one, has it open. */
    STORE_IN_USE,
    /** The path does not hold a store. */
    NOT_A_STORE,
    /** The path already holds something where a new store was to be created. */
    ALREADY_EXISTS,
    /** Something that the file should start with is not there: it is not ours. */
    WRONG_MAGIC,
    /** Written by a version whose format this one no longer reads. */
    TOO_OLD,
    /** Written by a newer version, or with a feature that this one does not know. */
    TOO_NEW,
    /** Used after close. */
    CLOSED,
    /** A flush or write failed: nothing is acknowledged any more until the store is opened again. */
    FAILED,
    /** A read of the device failed. */
    IO,
    /** No volume of that name. */
    NO_SUCH_VOLUME,
    /** A volume of that name exists already. */
    VOLUME_EXISTS,
    /** No snapshot of that name. */
    NO_SUCH_SNAPSHOT,
    /** A snapshot of that name exists already. */
    SNAPSHOT_EXISTS,
    /** A commit would make a volume refer to more than its quota; nothing has changed. */
    QUOTA,
    /** A stream is damaged, cut off or none at all; nothing that can be seen has changed. */
    CORRUPT_STREAM,
    /** What a stream is on top of is not there, or was changed since; nothing has changed. */
    WRONG_BASE,
    /** A limit (pins, volumes, reservation of a region) was reached, or a page is pinned. */
    BUSY,
    /** The kernel, the container or the machine lacks something; the message names the remedy. */
    UNSUPPORTED,
    /** What a caller asked for cannot be, whatever the state of the store. */
    ILLEGAL_USE,
    /** An argument out of its range, below the public API or of a system call. */
    INVALID
}
