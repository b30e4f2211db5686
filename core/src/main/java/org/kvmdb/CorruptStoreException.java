package org.kvmdb;

/** A structure of the store other than a page is damaged, and not merely by a torn tail. */
public final class CorruptStoreException extends StoreException {

    private static final long serialVersionUID = 1L;

    CorruptStoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
