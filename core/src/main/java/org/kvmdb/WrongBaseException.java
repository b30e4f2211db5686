package org.kvmdb;

/** What an incremental stream is on top of is not there, or the volume was changed since. Nothing has changed. */
public final class WrongBaseException extends StoreException {

    private static final long serialVersionUID = 1L;

    WrongBaseException(String message, Throwable cause) {
        super(message, cause);
    }
}
