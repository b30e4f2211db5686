package org.kvmdb;

/** The supertype of all failures of a store. The message says what happened, where, and what to do. */
public abstract sealed class StoreException extends RuntimeException
        permits CorruptPageException,
                CorruptStoreException,
                CorruptStreamException,
                IllegalUseException,
                NoSuchSnapshotException,
                NoSuchVolumeException,
                NotAStoreException,
                QuotaExceededException,
                SnapshotExistsException,
                StoreBusyException,
                StoreClosedException,
                StoreExistsException,
                StoreFailedException,
                StoreFullException,
                StoreInUseException,
                StoreIoException,
                TooNewException,
                TooOldException,
                UnsupportedPlatformException,
                VolumeExistsException,
                WrongBaseException,
                WrongMagicException {

    private static final long serialVersionUID = 1L;

    StoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
