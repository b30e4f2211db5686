package org.kvmdb;

/** The file does not start as a store's file does. */
public final class WrongMagicException extends StoreException {

    private static final long serialVersionUID = 1L;

    WrongMagicException(String message, Throwable cause) {
        super(message, cause);
    }
}
