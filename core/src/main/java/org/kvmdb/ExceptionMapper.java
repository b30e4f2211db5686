package org.kvmdb;

import java.util.function.Supplier;
import org.kvmdb.ffi.StorageException;

/**
 * Translates {@link StorageException}, by which the modules below report failures, to the public types. The only place.
 */
final class ExceptionMapper {

    private ExceptionMapper() {}

    /** Takes no memory of its own: the action may undo something. */
    static void run(Runnable action) {
        try {
            action.run();
        } catch (StorageException e) {
            throw map(e);
        }
    }

    static <T> T call(Supplier<T> action) {
        try {
            return action.get();
        } catch (StorageException e) {
            throw map(e);
        }
    }

    static StoreException map(StorageException e) {
        final String message = e.getMessage();
        return switch (e.code()) {
            case CORRUPT_PAGE -> new CorruptPageException(message, e.volume(), e.lpn(), e.ppn(), e);
            case CORRUPT_STORE -> new CorruptStoreException(message, e);
            case STORE_FULL -> new StoreFullException(message, e);
            case STORE_IN_USE -> new StoreInUseException(message, e);
            case NOT_A_STORE -> new NotAStoreException(message, e);
            case ALREADY_EXISTS -> new StoreExistsException(message, e);
            case WRONG_MAGIC -> new WrongMagicException(message, e);
            case TOO_OLD -> new TooOldException(message, e);
            case TOO_NEW -> new TooNewException(message, e);
            case CLOSED -> new StoreClosedException(message, e);
            case FAILED -> new StoreFailedException(message, e);
            case IO, INVALID -> new StoreIoException(message, e);
            case ILLEGAL_USE -> new IllegalUseException(message, e);
            case NO_SUCH_VOLUME -> new NoSuchVolumeException(message, e);
            case NO_SUCH_SNAPSHOT -> new NoSuchSnapshotException(message, e);
            case SNAPSHOT_EXISTS -> new SnapshotExistsException(message, e);
            case QUOTA -> new QuotaExceededException(message, e);
            case VOLUME_EXISTS -> new VolumeExistsException(message, e);
            case CORRUPT_STREAM -> new CorruptStreamException(message, e);
            case WRONG_BASE -> new WrongBaseException(message, e);
            case BUSY -> new StoreBusyException(message, e);
            case UNSUPPORTED -> new UnsupportedPlatformException(message, e);
        };
    }
}
