package org.kvmdb;

/** The file does not start with the magic number of a store. */
public final class WrongMagicException extends StoreException {

    private static final long serialVersionUID = 1L;

    WrongMagicException(String message, Throwable cause) {
        super(message, cause);
    }
}
