package org.kvmdb;

/** The store has a volume of that name already. */
public final class VolumeExistsException extends StoreException {

    private static final long serialVersionUID = 1L;

    VolumeExistsException(String message, Throwable cause) {
        super(message, cause);
    }
}
