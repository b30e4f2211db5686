package org.kvmdb.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PpnTest {

    private static final int SEGMENT_MAX = (1 << Ppn.SEGMENT_BITS) - 1;
    private static final int OFFSET_MAX = Ppn.SEGMENT_BYTES_MAX - Ppn.UNIT_BYTES;
    private static final int LENGTH_MAX = ((1 << Ppn.LENGTH_BITS) - 1) * Ppn.UNIT_BYTES;

    @Test
    void shouldGiveBackWhatWasPacked() {
        final Random random = new Random(20260117);
        for (int i = 0; i < 100_000; i++) {
            final int segment = random.nextInt(SEGMENT_MAX + 1);
            final int offset = random.nextInt(OFFSET_MAX / Ppn.UNIT_BYTES + 1) * Ppn.UNIT_BYTES;
            final int length = (1 + random.nextInt(LENGTH_MAX / Ppn.UNIT_BYTES)) * Ppn.UNIT_BYTES;
            assertParts(segment, offset, length);
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 0, 64", "268435455, 0, 64", "0, 16777152, 64", "0, 0, 131008", "268435455, 16777152, 131008"})
    void shouldHoldEveryFieldAtItsEnds(int segment, int offset, int length) {
        assertParts(segment, offset, length);
    }

    private static void assertParts(int segment, int offset, int length) {
        final long ppn = Ppn.pack(segment, offset, length);
        assertEquals(segment, Ppn.segment(ppn));
        assertEquals(offset, Ppn.offsetBytes(ppn));
        assertEquals(length, Ppn.lengthBytes(ppn));
        assertEquals(0, Ppn.flags(ppn));
    }

    @ParameterizedTest
    @CsvSource({
        "-1, 0, 64", "268435456, 0, 64", "0, -64, 64", "0, 16777216, 64", "0, 1, 64", "0, 0, 0", "0, 0, -64", "0, 0, 65",
        "0, 0, 131072"
    })
    void shouldRefuseWhatDoesNotFit(int segment, int offset, int length) {
        assertThrows(IllegalArgumentException.class, () -> Ppn.pack(segment, offset, length));
    }

    @Test
    void shouldHoldARawPageOfTheLargestSize() {
        final int blockLength = BlockDescriptor.blockLength(1 << BlockDescriptor.PAGE_SHIFT_MAX);
        assertEquals(blockLength, Ppn.lengthBytes(Ppn.pack(1, 0, blockLength)));
    }

    @Test
    void shouldSayWhereItPoints() {
        assertEquals("none", Ppn.toString(0));
        assertEquals("7:128+4160", Ppn.toString(Ppn.pack(7, 128, 4160)));
    }
}
