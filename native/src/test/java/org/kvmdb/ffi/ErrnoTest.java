package org.kvmdb.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ErrnoTest {

    @Test
    void shouldReturnTheResultWhenItIsNotNegative() {
        assertEquals(7, Errno.check(7, "%d of nothing", "that is no number"));
        assertEquals(1L << 40, Errno.check(1L << 40, "read"));
    }

    @Test
    void shouldSayWhatFailedWithItsValuesWhenTheResultIsNegative() {
        StorageException failure = assertThrows(
                StorageException.class,
                () -> Errno.check((long) -Errno.ENOSPC, "write %d bytes at %d of %s", 4096, 1L << 40, "a 100% full disk"));
        assertEquals(ErrorCode.STORE_FULL, failure.code());
        assertTrue(
                failure.getMessage()
                        .startsWith("write 4096 bytes at 1099511627776 of a 100% full disk failed: no space left (ENOSPC)"),
                failure.getMessage());
    }

    @Test
    void shouldTakeWhatFailedAsItIsWhenNoValuesFollow() {
        StorageException failure = assertThrows(StorageException.class, () -> Errno.check(-Errno.EIO, "open 50%.db"));
        assertTrue(failure.getMessage().startsWith("open 50%.db failed: input/output error"), failure.getMessage());
    }
}
