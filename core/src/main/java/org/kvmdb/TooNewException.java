package org.kvmdb;

/** The store or stream was written by a newer version, or uses a feature that this version does not know. */
public final class TooNewException extends StoreException {

    private static final long serialVersionUID = 1L;

    TooNewException(String message, Throwable cause) {
        super(message, cause);
    }
}
