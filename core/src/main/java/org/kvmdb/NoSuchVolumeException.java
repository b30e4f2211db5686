package org.kvmdb;

/** The store has no volume with this name. */
public final class NoSuchVolumeException extends StoreException {

    private static final long serialVersionUID = 1L;

    NoSuchVolumeException(String message, Throwable cause) {
        super(message, cause);
    }
}
