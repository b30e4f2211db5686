package org.kvmdb;

/** The store, volume or snapshot was used after it was closed or deleted. */
public final class StoreClosedException extends StoreException {

    private static final long serialVersionUID = 1L;

    StoreClosedException(String message, Throwable cause) {
        super(message, cause);
    }
}
