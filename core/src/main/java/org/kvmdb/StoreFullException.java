package org.kvmdb;

/** No room. Nothing durable has changed; reading goes on; make space and write again. */
public final class StoreFullException extends StoreException {

    private static final long serialVersionUID = 1L;

    StoreFullException(String message, Throwable cause) {
        super(message, cause);
    }
}
