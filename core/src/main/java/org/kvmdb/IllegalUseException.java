package org.kvmdb;

/**
 * The request is invalid in any state of the store: an invalid name, a size out of range, an object of another store, a
 * write to a snapshot.
 */
public final class IllegalUseException extends StoreException {

    private static final long serialVersionUID = 1L;

    IllegalUseException(String message, Throwable cause) {
        super(message, cause);
    }
}
