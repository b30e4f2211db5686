package org.kvmdb;

/** The volume has a snapshot of that name already. */
public final class SnapshotExistsException extends StoreException {

    private static final long serialVersionUID = 1L;

    SnapshotExistsException(String message, Throwable cause) {
        super(message, cause);
    }
}
