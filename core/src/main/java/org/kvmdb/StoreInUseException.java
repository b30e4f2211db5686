package org.kvmdb;

/** Another process, or another {@link Store} of this one, has the store open. */
public final class StoreInUseException extends StoreException {

    private static final long serialVersionUID = 1L;

    StoreInUseException(String message, Throwable cause) {
        super(message, cause);
    }
}
