package org.kvmdb;

/** The kernel, the container or the machine lacks a feature that the store needs. The message names the remedy. */
public final class UnsupportedPlatformException extends StoreException {

    private static final long serialVersionUID = 1L;

    UnsupportedPlatformException(String message, Throwable cause) {
        super(message, cause);
    }
}
