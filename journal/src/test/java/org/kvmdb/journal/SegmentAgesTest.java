package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SegmentAgesTest {

    /** A checkpoint asks for all segments that the device holds, written or not. */
    @Test
    void shouldAnswerForSegmentsThatWereNeverWritten() {
        final SegmentAges ages = new SegmentAges();
        ages.wrote(3, 1 << 20);
        assertEquals(1 << 20, ages.writeTime(3));
        for (int segment : new int[] {0, 63, 64, 1000, 1 << 20}) {
            assertEquals(0, ages.writeTime(segment));
        }
        ages.load(1000, 77);
        assertEquals(77, ages.writeTime(1000));
    }
}
