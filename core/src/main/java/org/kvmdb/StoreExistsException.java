package org.kvmdb;

/** The directory already holds a store. */
public final class StoreExistsException extends StoreException {

    private static final long serialVersionUID = 1L;

    StoreExistsException(String message, Throwable cause) {
        super(message, cause);
    }
}
