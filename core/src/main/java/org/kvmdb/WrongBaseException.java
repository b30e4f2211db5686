package org.kvmdb;

/** The base of an incremental stream is missing, or the volume has changed since. Nothing has changed. */
public final class WrongBaseException extends StoreException {

    private static final long serialVersionUID = 1L;

    WrongBaseException(String message, Throwable cause) {
        super(message, cause);
    }
}
