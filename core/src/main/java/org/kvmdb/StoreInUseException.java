package org.kvmdb;

/** The store is open already, in another process or as another {@link Store} of this one. */
public final class StoreInUseException extends StoreException {

    private static final long serialVersionUID = 1L;

    StoreInUseException(String message, Throwable cause) {
        super(message, cause);
    }
}
