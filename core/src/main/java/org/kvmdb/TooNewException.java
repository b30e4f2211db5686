package org.kvmdb;

/** Written by a newer version, or with a feature that this one does not know. */
public final class TooNewException extends StoreException {

    private static final long serialVersionUID = 1L;

    TooNewException(String message, Throwable cause) {
        super(message, cause);
    }
}
