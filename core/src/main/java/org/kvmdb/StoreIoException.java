package org.kvmdb;

/** The device or file system refused an operation. */
public final class StoreIoException extends StoreException {

    private static final long serialVersionUID = 1L;

    StoreIoException(String message, Throwable cause) {
        super(message, cause);
    }
}
