package org.kvmdb;

/** The input is damaged, truncated or not a stream. Nothing visible in the store has changed. */
public final class CorruptStreamException extends StoreException {

    private static final long serialVersionUID = 1L;

    CorruptStreamException(String message, Throwable cause) {
        super(message, cause);
    }
}
