package org.kvmdb;

/** The store is full. Nothing durable has changed, and reads still work. Make space and write again. */
public final class StoreFullException extends StoreException {

    private static final long serialVersionUID = 1L;

    StoreFullException(String message, Throwable cause) {
        super(message, cause);
    }
}
