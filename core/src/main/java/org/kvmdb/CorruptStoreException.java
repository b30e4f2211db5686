package org.kvmdb;

/** A structure of the store that is not a page is damaged, beyond a torn tail. */
public final class CorruptStoreException extends StoreException {

    private static final long serialVersionUID = 1L;

    CorruptStoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
