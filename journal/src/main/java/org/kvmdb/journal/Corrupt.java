package org.kvmdb.journal;

import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/** Makes the exception for a structure that is not what it must be. */
final class Corrupt {
    private Corrupt() {}

    static StorageException store(String fact) {
        return new StorageException(
                ErrorCode.CORRUPT_STORE, "corrupt store: " + fact + "; restore the store from a copy");
    }
}
