package org.kvmdb.ffi;

/**
 * Where blocks of a segment lie now that were moved while a snapshot refers to them: the snapshot's entries go on naming the old
 * place. Sorted by name, unsigned. {@link SegmentTableDescriptor} holds its address. Written by the journal, read by the fault
 * handler; only targets change once it is published. A target of 0: the block lies where its name says.
 *
 * <pre>
 *   0       8
 *  +-------+-----------------+-----------------+--~--+
 *  | count | name 0 | target | name 1 | target |     |
 *  +-------+-----------------+-----------------+--~--+
 * </pre>
 */
public final class RemapTableDescriptor {

    public static final int COUNT_OFFSET = 0;
    public static final int ENTRIES_OFFSET = COUNT_OFFSET + Long.BYTES;
    public static final int ENTRY_NAME_OFFSET = 0;
    public static final int ENTRY_TARGET_OFFSET = ENTRY_NAME_OFFSET + Long.BYTES;
    public static final int ENTRY_LENGTH = ENTRY_TARGET_OFFSET + Long.BYTES;

    private RemapTableDescriptor() {}

    public static long length(int count) {
        return ENTRIES_OFFSET + (long) count * ENTRY_LENGTH;
    }

    public static long entryOffset(int index) {
        return ENTRIES_OFFSET + (long) index * ENTRY_LENGTH;
    }
}
