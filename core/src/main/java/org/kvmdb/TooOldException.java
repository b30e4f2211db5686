package org.kvmdb;

/** Written by an older version whose format this one no longer reads. */
public final class TooOldException extends StoreException {

    private static final long serialVersionUID = 1L;

    TooOldException(String message, Throwable cause) {
        super(message, cause);
    }
}
