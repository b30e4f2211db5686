package org.kvmdb.journal;

import org.kvmdb.ffi.BlockDescriptor;

/**
 * A record of a batch. Little endian, a multiple of 8 bytes.
 *
 * <pre>
 *   0      1      2        4        8                 16                    24
 *  +------+------+--------+--------+-----------------+---------------------+------~--+
 *  | kind | info | length | volume | first           | second              | tail    |
 *  +------+------+--------+--------+-----------------+---------------------+------~--+
 *
 *  kind             info        length        first          second
 *  PAGE             type,class  block, units  LPN            offset (4, units in the segment), block CRC (4)
 *  REFERENCE        0           0             LPN            PPN of a block that a STOLEN batch holds
 *  TRIM             0           0             first LPN      number of pages that become holes
 *  VOLUME_CREATE    page shift  tail, bytes   size, bytes    family; tail: the name
 *  VOLUME_DELETE    0           0             0              0
 *  VOLUME_RESIZE    0           0             size, bytes    0; pages behind the new size become holes
 *  LSN              0           0             LSN            0
 *  BLOCK            family >>56 block, units  LPN of seed    as PAGE; volume: low 4 bytes of the family
 *  SNAPSHOT_CREATE  0           tail, bytes   GUID           time, ms; tail: {@link SnapshotTailDescriptor}
 *  SNAPSHOT_DELETE  0           0             0              0; volume: id of the snapshot
 *  CLONE            0           tail, bytes   snapshot       0; volume: id of the new volume; tail: the name
 *  ROLLBACK         0           0             snapshot       id that what the volume held gets
 *  VOLUME_RENAME    0           tail, bytes   0              0; tail: the name
 *  QUOTA            0           0             bytes, 0: none 0
 *  SEGMENT          0           tail, bytes   salt           generation; volume: the segment; tail: its write time (8)
 *  MOVE             0           tail, bytes   LPN            new PPN; tail: the old one (8)
 *  REMAP            0           0             name           PPN that the block of that name lies at
 * </pre>
 *
 * <p>The type has the three low bits of the info, above it stands the class of the interval at which the page was written
 * before, 0 when that is not known ({@link SegmentAges}).
 *
 * <p>A tail is filled with zeros to 8 bytes. BLOCK is of map nodes and metadata, in CHECKPOINT batches. A family has nothing
 * between its top byte and its low four bytes.
 */
final class RecordDescriptor {

    static final int KIND_OFFSET = 0;
    static final int INFO_OFFSET = KIND_OFFSET + Byte.BYTES;
    static final int LENGTH_OFFSET = INFO_OFFSET + Byte.BYTES;
    static final int VOLUME_OFFSET = LENGTH_OFFSET + Short.BYTES;
    static final int FIRST_OFFSET = VOLUME_OFFSET + Integer.BYTES;
    static final int SECOND_OFFSET = FIRST_OFFSET + Long.BYTES;
    static final int BLOCK_CRC_OFFSET = SECOND_OFFSET + Integer.BYTES;
    static final int LENGTH = SECOND_OFFSET + Long.BYTES;

    /** Kinds; zero is illegal. */
    static final int KIND_PAGE = 1;

    static final int KIND_REFERENCE = 2;
    static final int KIND_TRIM = 3;
    static final int KIND_VOLUME_CREATE = 4;
    static final int KIND_VOLUME_DELETE = 5;
    static final int KIND_VOLUME_RESIZE = 6;
    static final int KIND_LSN = 7;
    static final int KIND_BLOCK = 8;
    static final int KIND_SNAPSHOT_CREATE = 9;
    static final int KIND_SNAPSHOT_DELETE = 10;
    static final int KIND_CLONE = 11;
    static final int KIND_ROLLBACK = 12;
    static final int KIND_VOLUME_RENAME = 13;
    static final int KIND_QUOTA = 14;
    static final int KIND_SEGMENT = 20;
    static final int KIND_MOVE = 21;
    static final int KIND_REMAP = 22;

    /** PAGE: the class lies above the type. */
    static final int INFO_CLASS_SHIFT = 3;

    static final int NAME_LENGTH_MAX = 255;

    private RecordDescriptor() {}

    /** Info of a PAGE. */
    static int pageInfo(int ageClass) {
        return BlockDescriptor.TYPE_PAGE | ageClass << INFO_CLASS_SHIFT;
    }

    static boolean hasTail(int kind) {
        return kind == KIND_VOLUME_CREATE
                || kind == KIND_SNAPSHOT_CREATE
                || kind == KIND_CLONE
                || kind == KIND_VOLUME_RENAME
                || kind == KIND_SEGMENT
                || kind == KIND_MOVE;
    }

    static int tailLengthPadded(int tailLength) {
        return tailLength + 7 & -8;
    }
}
