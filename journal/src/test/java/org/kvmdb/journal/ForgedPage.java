package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.Ppn;

/**
 * A page whose content looks like a batch of the log, at just the place where a search for batches would look: all of it is
 * right but for the salt, which who writes pages cannot know. It says that whatever is missing was durable.
 */
final class ForgedPage {

    private static final int PAGE_SHIFT = 14;
    /** The model does not look at volumes with such a name. */
    private static final String VOLUME = ".forged";

    private ForgedPage() {}

    /** Commits such a page in a volume of its own, among commits of others. */
    static void steps(Workload work) {
        work.createVolume("a", 16 << 12, 12);
        work.put("a", true, 0);
        final Journal journal = work.journal();
        final int volume = journal.createVolume(VOLUME, 8 << PAGE_SHIFT, PAGE_SHIFT).id();
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment page = arena.allocate(1 << PAGE_SHIFT, 64);
            final SplittableRandom random = new SplittableRandom(5);
            for (long at = 0; at < page.byteSize(); at += Long.BYTES) {
                page.set(ValueLayout.JAVA_LONG, at, random.nextLong());
            }
            final LogPosition position = journal.parts().log().position();
            final int payloadAt = position.offset() + BatchDescriptor.HEADER_LENGTH + BlockDescriptor.HEADER_LENGTH;
            final int unitAt = (int) Fields.alignUp(payloadAt, BatchDescriptor.UNIT_BYTES);
            forge(page.asSlice(unitAt - payloadAt, BatchDescriptor.UNIT_BYTES), position, unitAt, journal.superblock());
            commit(journal, volume, page, position);
        }
        work.put("a", true, 1);
    }

    private static void commit(Journal journal, int volume, MemorySegment page, LogPosition expected) {
        try (Arena arena = Arena.ofConfined(); Append append = journal.beginAppend()) {
            final MemorySegment encoded = arena.allocate(BlockEncoder.destinationLength(PAGE_SHIFT), 64);
            final long ppn = append.page(
                    volume, 0, encoded.asSlice(0, BlockEncoder.encode(page, PAGE_SHIFT, encoded)));
            if (Ppn.segment(ppn) != expected.segment()
                    || Ppn.offsetBytes(ppn) != expected.offset() + BatchDescriptor.HEADER_LENGTH) {
                throw new IllegalStateException("the page lies elsewhere: " + Ppn.toString(ppn));
            }
            if (Ppn.lengthBytes(ppn) < 1 << PAGE_SHIFT) {
                throw new IllegalStateException("the page was compressed: " + Ppn.toString(ppn));
            }
            append.commit();
            append.flush();
            append.apply();
        }
    }

    private static void forge(MemorySegment unit, LogPosition position, int offset, Superblock superblock) {
        unit.asSlice(0, BatchDescriptor.HEADER_LENGTH).fill((byte) 0);
        Fields.putInt(unit, BatchDescriptor.MAGIC_OFFSET, BatchDescriptor.MAGIC);
        Fields.putShort(unit, BatchDescriptor.VERSION_OFFSET, BatchDescriptor.VERSION);
        Fields.putLong(unit, BatchDescriptor.STORE_ID_OFFSET, superblock.storeId());
        Fields.putInt(unit, BatchDescriptor.SEGMENT_OFFSET, position.segment());
        Fields.putInt(unit, BatchDescriptor.GENERATION_OFFSET, position.generation());
        Fields.putLong(unit, BatchDescriptor.SALT_OFFSET, ~position.salt());
        Fields.putInt(unit, BatchDescriptor.OFFSET_OFFSET, offset);
        Fields.putInt(unit, BatchDescriptor.LENGTH_OFFSET, BatchDescriptor.UNIT_BYTES);
        Fields.putLong(unit, BatchDescriptor.SEQUENCE_OFFSET, position.sequence() + 2);
        Fields.putLong(unit, BatchDescriptor.FIRST_SEQUENCE_OFFSET, position.sequence() + 2);
        Fields.putLong(unit, BatchDescriptor.KNOWN_DURABLE_OFFSET, position.sequence() + 1);
        Fields.putInt(unit, BatchDescriptor.NEXT_SEGMENT_OFFSET, BatchDescriptor.NO_SEGMENT);
        // No padding, which would be zeros: the page must not be worth compressing.
        final MemorySegment records = unit.asSlice(BatchDescriptor.HEADER_LENGTH);
        Fields.putInt(unit, BatchDescriptor.RECORDS_LENGTH_OFFSET, (int) records.byteSize());
        Fields.putInt(unit, BatchDescriptor.CRC_OFFSET, new Digests().batchCrc(unit, records));
    }
}
