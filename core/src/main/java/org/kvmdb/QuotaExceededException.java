package org.kvmdb;

/** A commit would have made a volume refer to more than its quota; nothing of it became durable. */
public final class QuotaExceededException extends StoreException {

    private static final long serialVersionUID = 1L;

    QuotaExceededException(String message, Throwable cause) {
        super(message, cause);
    }
}
