package org.kvmdb;

/** The store has no snapshot with this name. */
public final class NoSuchSnapshotException extends StoreException {

    private static final long serialVersionUID = 1L;

    NoSuchSnapshotException(String message, Throwable cause) {
        super(message, cause);
    }
}
