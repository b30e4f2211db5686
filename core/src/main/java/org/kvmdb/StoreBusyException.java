package org.kvmdb;

/** A limit was reached, or the operation would change something that is in use. */
public final class StoreBusyException extends StoreException {

    private static final long serialVersionUID = 1L;

    StoreBusyException(String message, Throwable cause) {
        super(message, cause);
    }
}
