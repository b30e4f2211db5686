package org.kvmdb.journal.planted;

/** A planted bug does not fit the code any more. */
final class PatchMisfitException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PatchMisfitException(String message) {
        super(message);
    }
}
