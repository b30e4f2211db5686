package org.kvmdb;

/** The store already has a volume with this name. */
public final class VolumeExistsException extends StoreException {

    private static final long serialVersionUID = 1L;

    VolumeExistsException(String message, Throwable cause) {
        super(message, cause);
    }
}
