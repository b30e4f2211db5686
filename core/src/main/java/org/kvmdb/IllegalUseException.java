package org.kvmdb;

/**
 * What was asked for cannot be, whatever the state of the store: a name that is none, a size out of range, an object of another
 * store, a write to a snapshot.
 */
public final class IllegalUseException extends StoreException {

    private static final long serialVersionUID = 1L;

    IllegalUseException(String message, Throwable cause) {
        super(message, cause);
    }
}
