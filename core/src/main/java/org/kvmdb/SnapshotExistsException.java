package org.kvmdb;

/** The volume already has this snapshot, or one of this name. */
public final class SnapshotExistsException extends StoreException {

    private static final long serialVersionUID = 1L;

    SnapshotExistsException(String message, Throwable cause) {
        super(message, cause);
    }
}
