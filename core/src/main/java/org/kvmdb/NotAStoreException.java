package org.kvmdb;

/** The path does not hold a store. */
public final class NotAStoreException extends StoreException {

    private static final long serialVersionUID = 1L;

    NotAStoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
