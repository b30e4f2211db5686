package org.kvmdb.journal;

import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * Whether the journal still works. The first write or flush that failed ends it: what the disk holds is unknown from
 * then on, and only opening the store again finds out.
 */
final class Failure {

    private volatile RuntimeException cause;
    private volatile boolean closed;

    void check() {
        if (closed) {
            throw new StorageException(ErrorCode.CLOSED, "store is closed");
        }
        final RuntimeException first = cause;
        if (first != null) {
            throw failed(first);
        }
    }

    void checkOpen() {
        if (closed) {
            throw new StorageException(ErrorCode.CLOSED, "store is closed");
        }
    }

    /** Remembers the failure and returns what to throw. */
    StorageException fail(RuntimeException e) {
        if (cause == null) {
            cause = e;
        }
        return failed(cause);
    }

    boolean isFailed() {
        return cause != null;
    }

    void close() {
        closed = true;
    }

    private static StorageException failed(RuntimeException first) {
        return new StorageException(
                ErrorCode.FAILED,
                "store failed: %s; close it and open it again to recover what was acknowledged"
                        .formatted(first.getMessage()),
                first);
    }
}
