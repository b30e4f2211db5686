package org.kvmdb;

/** A limit was reached, or something is in use that would have to be changed. */
public final class StoreBusyException extends StoreException {

    private static final long serialVersionUID = 1L;

    StoreBusyException(String message, Throwable cause) {
        super(message, cause);
    }
}
