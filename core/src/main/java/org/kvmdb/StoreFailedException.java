package org.kvmdb;

/** A write or flush failed: nothing is acknowledged any more until the store is opened again. */
public final class StoreFailedException extends StoreException {

    private static final long serialVersionUID = 1L;

    StoreFailedException(String message, Throwable cause) {
        super(message, cause);
    }
}
