package org.kvmdb;

/** A write or flush failed. The store acknowledges nothing until it is opened again. */
public final class StoreFailedException extends StoreException {

    private static final long serialVersionUID = 1L;

    StoreFailedException(String message, Throwable cause) {
        super(message, cause);
    }
}
