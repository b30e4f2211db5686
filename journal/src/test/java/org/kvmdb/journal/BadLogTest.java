package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.fuzz.Edit;

/** Lies in the log, bad inputs number 4: batches and records, one by one, with checksums and the chain of digests made right. */
class BadLogTest {

    private static final ForgedStore STORE = ForgedStore.of(FuzzImages.killed());

    private final List<Edit> edits = new ArrayList<>();

    private void set(String place, int at, int width, long value) {
        edits.add(Edit.number(Edit.Op.SET, place, at, width, value));
    }

    private Journal open() {
        return Journal.open(
                STORE.forge(edits), FuzzImages.OPTIONS.withReadOnly(true).withRandom(new SplittableRandom(1)));
    }

    private void assertRefused() {
        final StorageException refusal = assertThrows(StorageException.class, this::open);
        assertEquals(ErrorCode.CORRUPT_STORE, refusal.code(), refusal.getMessage());
    }

    private static String batch(int index) {
        return STORE.batches().get(index).name();
    }

    private static int count() {
        return STORE.batches().size();
    }

    private static long known() {
        return STORE.batches().stream()
                .mapToLong(batch -> Fields.longAt(STORE.part(batch.name()), BatchDescriptor.KNOWN_DURABLE_OFFSET))
                .max()
                .orElseThrow();
    }

    /** A batch and a record of that kind in it. */
    private record Found(String batch, int at) {}

    private static Found record(int kind) {
        for (ForgedStore.Logged batch : STORE.batches()) {
            final MemorySegment part = STORE.part(batch.name());
            int at = BatchDescriptor.HEADER_LENGTH;
            while (at < part.byteSize()) {
                if (Fields.byteAt(part, at) == kind) {
                    return new Found(batch.name(), at);
                }
                final int tail = RecordDescriptor.hasTail(Fields.byteAt(part, at))
                        ? RecordDescriptor.tailLengthPadded(Fields.shortAt(part, at + RecordDescriptor.LENGTH_OFFSET))
                        : 0;
                at += RecordDescriptor.LENGTH + tail;
            }
        }
        throw new AssertionError("no record of kind " + kind);
    }

    @Test
    void shouldHaveARecordOfEachKind() {
        for (int kind : new int[] {
            RecordDescriptor.KIND_PAGE, RecordDescriptor.KIND_REFERENCE, RecordDescriptor.KIND_TRIM,
            RecordDescriptor.KIND_VOLUME_CREATE, RecordDescriptor.KIND_VOLUME_DELETE, RecordDescriptor.KIND_VOLUME_RESIZE,
            RecordDescriptor.KIND_LSN, RecordDescriptor.KIND_SNAPSHOT_CREATE,
            RecordDescriptor.KIND_SNAPSHOT_DELETE, RecordDescriptor.KIND_CLONE, RecordDescriptor.KIND_ROLLBACK,
            RecordDescriptor.KIND_VOLUME_RENAME, RecordDescriptor.KIND_QUOTA, RecordDescriptor.KIND_SEGMENT,
            RecordDescriptor.KIND_MOVE, RecordDescriptor.KIND_REMAP
        }) {
            record(kind);
        }
        open().close();
    }

    @Test
    void shouldRefuse4ABadBatchThatWasDurable() {
        for (int i = 0; i < count(); i++) {
            final long sequence = Fields.longAt(STORE.part(batch(i)), BatchDescriptor.SEQUENCE_OFFSET);
            edits.clear();
            set(batch(i), BatchDescriptor.CRC_OFFSET, 4, 1);
            if (sequence <= known()) {
                assertRefused();
            } else {
                open().close(); // a torn tail, as far as anything on the medium says
            }
        }
    }

    @Test
    void shouldRefuse4ALengthThatCannotBe() {
        for (long length : new long[] {0, 1, 4095, -4096, Integer.MAX_VALUE, 1 << 30}) {
            for (int field : new int[] {
                BatchDescriptor.LENGTH_OFFSET, BatchDescriptor.RECORDS_LENGTH_OFFSET, BatchDescriptor.BLOCKS_LENGTH_OFFSET
            }) {
                edits.clear();
                set(batch(0), field, 4, length);
                assertRefused();
            }
        }
    }

    @Test
    void shouldRefuse4ASequenceThatIsThereTwiceOrLeftOut() {
        final long sequence = Fields.longAt(STORE.part(batch(1)), BatchDescriptor.SEQUENCE_OFFSET);
        for (long lie : new long[] {sequence - 1, sequence + 1, 0, -1, Long.MAX_VALUE}) {
            edits.clear();
            set(batch(1), BatchDescriptor.SEQUENCE_OFFSET, 8, lie);
            assertRefused();
        }
    }

    @Test
    void shouldRefuse4WhatAnEarlierUseOfTheSegmentLeft() {
        final int generation = Fields.intAt(STORE.part(batch(1)), BatchDescriptor.GENERATION_OFFSET);
        set(batch(1), BatchDescriptor.GENERATION_OFFSET, 4, generation - 1);
        assertRefused();
        edits.clear();
        set(batch(1), BatchDescriptor.SALT_OFFSET, 8, 4711);
        assertRefused();
    }

    /** The batch of the commit is there, and says that another batch with pages belongs to it, which is not there. */
    @Test
    void shouldRefuse4ACommitWithoutItsPages() {
        final Found page = record(RecordDescriptor.KIND_PAGE);
        final MemorySegment part = STORE.part(page.batch);
        set(page.batch, page.at + RecordDescriptor.SECOND_OFFSET, 4, 0);
        assertRefused();
        edits.clear();
        set(page.batch, page.at + RecordDescriptor.LENGTH_OFFSET, 2, 0xFFFF);
        assertRefused();
        edits.clear();
        set(page.batch, BatchDescriptor.RECORD_COUNT_OFFSET, 4,
                Fields.intAt(part, BatchDescriptor.RECORD_COUNT_OFFSET) + 1);
        assertRefused();
    }

    @Test
    void shouldRefuse4RecordsOfWhatThereIsNot() {
        for (int kind : new int[] {
            RecordDescriptor.KIND_PAGE, RecordDescriptor.KIND_TRIM, RecordDescriptor.KIND_VOLUME_DELETE,
            RecordDescriptor.KIND_VOLUME_RESIZE, RecordDescriptor.KIND_LSN, RecordDescriptor.KIND_SNAPSHOT_CREATE,
            RecordDescriptor.KIND_SNAPSHOT_DELETE, RecordDescriptor.KIND_ROLLBACK, RecordDescriptor.KIND_QUOTA,
            RecordDescriptor.KIND_MOVE, RecordDescriptor.KIND_SEGMENT
        }) {
            final Found found = record(kind);
            edits.clear();
            set(found.batch, found.at + RecordDescriptor.VOLUME_OFFSET, 4, 0x7654_3210);
            assertRefused();
        }
    }

    @Test
    void shouldRefuse4NumbersOutOfRange() {
        final int[][] lies = {
            {RecordDescriptor.KIND_PAGE, RecordDescriptor.FIRST_OFFSET},
            {RecordDescriptor.KIND_REFERENCE, RecordDescriptor.SECOND_OFFSET},
            {RecordDescriptor.KIND_TRIM, RecordDescriptor.SECOND_OFFSET},
            {RecordDescriptor.KIND_VOLUME_CREATE, RecordDescriptor.FIRST_OFFSET},
            {RecordDescriptor.KIND_VOLUME_RESIZE, RecordDescriptor.FIRST_OFFSET},
            {RecordDescriptor.KIND_CLONE, RecordDescriptor.FIRST_OFFSET},
            {RecordDescriptor.KIND_ROLLBACK, RecordDescriptor.SECOND_OFFSET},
            {RecordDescriptor.KIND_QUOTA, RecordDescriptor.FIRST_OFFSET},
            {RecordDescriptor.KIND_SEGMENT, RecordDescriptor.LENGTH},
            {RecordDescriptor.KIND_MOVE, RecordDescriptor.LENGTH},
            {RecordDescriptor.KIND_REMAP, RecordDescriptor.SECOND_OFFSET},
        };
        for (int[] lie : lies) {
            final Found found = record(lie[0]);
            edits.clear();
            set(found.batch, found.at + lie[1], 8, Long.MIN_VALUE + 4711);
            assertRefused();
        }
    }

    /** The records, not only what they lie in, are cut off: no byte behind them is taken for a tail. */
    @Test
    void shouldRefuse4ATailThatIsNotThere() {
        for (int kind : new int[] {
            RecordDescriptor.KIND_SEGMENT, RecordDescriptor.KIND_MOVE, RecordDescriptor.KIND_SNAPSHOT_CREATE,
            RecordDescriptor.KIND_CLONE, RecordDescriptor.KIND_VOLUME_RENAME, RecordDescriptor.KIND_VOLUME_CREATE
        }) {
            final Found found = record(kind);
            for (int length : new int[] {0, 1, 7}) {
                edits.clear();
                final byte[] part = STORE.parts().get(found.batch);
                final int tail = RecordDescriptor.tailLengthPadded(Fields.shortAt(
                        MemorySegment.ofArray(part), found.at + RecordDescriptor.LENGTH_OFFSET));
                set(found.batch, found.at + RecordDescriptor.LENGTH_OFFSET, 2, length);
                final int kept = RecordDescriptor.tailLengthPadded(length);
                edits.add(new Edit(
                        Edit.Op.DELETE, found.batch, found.at + RecordDescriptor.LENGTH + kept, tail - kept, 0, "", 0));
                if (length == 0 || kind == RecordDescriptor.KIND_SEGMENT || kind == RecordDescriptor.KIND_MOVE) {
                    assertRefused();
                } else {
                    openOrRefuse();
                }
            }
        }
    }

    private void openOrRefuse() {
        try (Journal journal = open()) {
            StoreFuzzTarget.readAll(journal, true);
        } catch (StorageException e) {
            assertEquals(ErrorCode.CORRUPT_STORE, e.code(), e.getMessage());
        }
    }

    @Test
    void shouldRefuse4ANameThatIsTooLong() {
        final Found found = record(RecordDescriptor.KIND_VOLUME_RENAME);
        final int length = 304;
        set(found.batch, found.at + RecordDescriptor.LENGTH_OFFSET, 2,
                Fields.shortAt(STORE.part(found.batch), found.at + RecordDescriptor.LENGTH_OFFSET) + length);
        edits.add(new Edit(
                Edit.Op.INSERT, found.batch, found.at + RecordDescriptor.LENGTH, length, 0, ForgedStore.CATALOG, 0));
        edits.add(new Edit(Edit.Op.FILL, found.batch, found.at + RecordDescriptor.LENGTH, length, 'n', "", 0));
        assertRefused();
    }

    @Test
    void shouldRefuse4ABatchOfANewerSuperblock() {
        set(batch(1), BatchDescriptor.CHECKPOINT_GENERATION_OFFSET, 8, STORE.superblock().generation() + 1);
        assertRefused();
    }

    /** Recovering what was recovered finds the same: nothing of the log is applied a second time. */
    @Test
    void shouldFindTheSame4WhenItIsReplayedTwice() {
        final HeapDevice device = STORE.forge(List.of());
        final JournalOptions options = FuzzImages.OPTIONS.withRandom(new SplittableRandom(1));
        final String first;
        try (Journal journal = Journal.open(device, options.withReadOnly(true))) {
            first = TestStreams.visible(journal).toString();
        }
        for (int i = 0; i < 2; i++) {
            device.reopen();
            try (Journal journal = Journal.open(device, options)) {
                assertEquals(first, TestStreams.visible(journal).toString());
            }
        }
        assertTrue(first.contains("a@s1"));
    }
}
