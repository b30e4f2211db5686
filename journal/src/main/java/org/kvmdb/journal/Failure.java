package org.kvmdb.journal;

import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * Records whether the journal still works. The first failed write or flush ends it: from then on the content of the
 * disk is unknown, and only opening the store again establishes it.
 */
final class Failure {

    private volatile Throwable cause;
    private volatile boolean closed;

    void check() {
        if (closed) {
            throw new StorageException(ErrorCode.CLOSED, "store is closed");
        }
        final Throwable first = cause;
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
        remember(e);
        return failed(cause);
    }

    /**
     * An error of the virtual machine, above all that it has no memory left, in the middle of a change: what is in memory
     * no longer is what the log says. Returns it, to be thrown on.
     */
    Error end(Error e) {
        remember(e);
        return e;
    }

    private void remember(Throwable e) {
        if (cause == null) {
            cause = e;
        }
    }

    boolean isFailed() {
        return cause != null;
    }

    boolean isClosed() {
        return closed;
    }

    void close() {
        closed = true;
    }

    private static StorageException failed(Throwable first) {
        return new StorageException(
                ErrorCode.FAILED,
                "store failed: %s; close it and open it again to recover what was acknowledged"
                        .formatted(first instanceof Error ? first.toString() : first.getMessage()),
                first);
    }
}
