package org.kvmdb;

/** A stream is damaged, cut off or none at all. Nothing that can be seen of the store has changed. */
public final class CorruptStreamException extends StoreException {

    private static final long serialVersionUID = 1L;

    CorruptStreamException(String message, Throwable cause) {
        super(message, cause);
    }
}
