package org.kvmdb;

/** The store was written by an older version, in a format that this version no longer reads. */
public final class TooOldException extends StoreException {

    private static final long serialVersionUID = 1L;

    TooOldException(String message, Throwable cause) {
        super(message, cause);
    }
}
