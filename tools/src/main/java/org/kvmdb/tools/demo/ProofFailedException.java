package org.kvmdb.tools.demo;

/** The store does not hold what it must. The message says what is wrong and where. */
final class ProofFailedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    ProofFailedException(String message) {
        super(message);
    }
}
