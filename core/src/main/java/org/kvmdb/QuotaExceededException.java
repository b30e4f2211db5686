package org.kvmdb;

/** A commit would have taken a volume beyond its quota. Nothing of the commit became durable. */
public final class QuotaExceededException extends StoreException {

    private static final long serialVersionUID = 1L;

    QuotaExceededException(String message, Throwable cause) {
        super(message, cause);
    }
}
