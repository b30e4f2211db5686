package org.kvmdb.journal;

import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/** Creates the exceptions for corrupt structures. */
final class Corrupt {
    private Corrupt() {}

    static StorageException store(String fact) {
        return new StorageException(
                ErrorCode.CORRUPT_STORE, "corrupt store: " + fact + "; restore the store from a copy");
    }
}
