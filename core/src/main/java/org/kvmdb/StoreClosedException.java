package org.kvmdb;

/** Used after close. */
public final class StoreClosedException extends StoreException {

    private static final long serialVersionUID = 1L;

    StoreClosedException(String message, Throwable cause) {
        super(message, cause);
    }
}
