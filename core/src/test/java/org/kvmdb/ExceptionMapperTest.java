package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

class ExceptionMapperTest {

    private static final Map<ErrorCode, Class<? extends StoreException>> EXPECTED = Map.ofEntries(
            Map.entry(ErrorCode.CORRUPT_PAGE, CorruptPageException.class),
            Map.entry(ErrorCode.CORRUPT_STORE, CorruptStoreException.class),
            Map.entry(ErrorCode.STORE_FULL, StoreFullException.class),
            Map.entry(ErrorCode.STORE_IN_USE, StoreInUseException.class),
            Map.entry(ErrorCode.NOT_A_STORE, NotAStoreException.class),
            Map.entry(ErrorCode.ALREADY_EXISTS, StoreExistsException.class),
            Map.entry(ErrorCode.WRONG_MAGIC, WrongMagicException.class),
            Map.entry(ErrorCode.TOO_OLD, TooOldException.class),
            Map.entry(ErrorCode.TOO_NEW, TooNewException.class),
            Map.entry(ErrorCode.CLOSED, StoreClosedException.class),
            Map.entry(ErrorCode.FAILED, StoreFailedException.class),
            Map.entry(ErrorCode.IO, StoreIoException.class),
            Map.entry(ErrorCode.NO_SUCH_VOLUME, NoSuchVolumeException.class),
            Map.entry(ErrorCode.NO_SUCH_SNAPSHOT, NoSuchSnapshotException.class),
            Map.entry(ErrorCode.SNAPSHOT_EXISTS, SnapshotExistsException.class),
            Map.entry(ErrorCode.QUOTA, QuotaExceededException.class),
            Map.entry(ErrorCode.VOLUME_EXISTS, VolumeExistsException.class),
            Map.entry(ErrorCode.CORRUPT_STREAM, CorruptStreamException.class),
            Map.entry(ErrorCode.WRONG_BASE, WrongBaseException.class),
            Map.entry(ErrorCode.BUSY, StoreBusyException.class),
            Map.entry(ErrorCode.UNSUPPORTED, UnsupportedPlatformException.class),
            Map.entry(ErrorCode.ILLEGAL_USE, IllegalUseException.class),
            Map.entry(ErrorCode.INVALID, StoreIoException.class));

    @ParameterizedTest
    @EnumSource
    void shouldMapEveryCodeToItsTypeAndKeepTheMessage(ErrorCode code) {
        final StorageException cause = new StorageException(code, "the fact: value=7");
        final StoreException mapped = ExceptionMapper.map(cause);
        assertEquals(EXPECTED.get(code), mapped.getClass());
        assertEquals("the fact: value=7", mapped.getMessage());
        assertSame(cause, mapped.getCause());
    }

    @Test
    void shouldReachEveryPublicType() {
        final Set<Class<?>> permitted = new HashSet<>(Arrays.asList(StoreException.class.getPermittedSubclasses()));
        assertEquals(permitted, new HashSet<>(EXPECTED.values()));
    }

    @Test
    void shouldCarryWhichPageIsCorrupt() {
        final StorageException cause = StorageException.corruptPage("orders", 7, 1L << 36, "block checksum mismatch");
        final CorruptPageException mapped =
                assertThrows(CorruptPageException.class, () -> ExceptionMapper.run(() -> {
                    throw cause;
                }));
        assertEquals("orders", mapped.volume());
        assertEquals(7, mapped.lpn());
        assertEquals(1L << 36, mapped.ppn());
    }

    @Test
    void shouldLetOtherExceptionsPass() {
        final IllegalStateException other = new IllegalStateException();
        assertSame(other, assertThrows(IllegalStateException.class, () -> ExceptionMapper.run(() -> {
            throw other;
        })));
    }
}
