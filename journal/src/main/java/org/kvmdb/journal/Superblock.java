package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/** The content of a superblock; {@link SuperblockDescriptor} has the layout. */
record Superblock(
        long storeUuidHigh,
        long storeUuidLow,
        long deviceUuidHigh,
        long deviceUuidLow,
        long secret,
        long generation,
        long epoch,
        int segmentSizeBytes,
        int segmentCount,
        long checkpointSequence,
        long rootPpn,
        long rootSalt,
        int rootGeneration,
        int rootCrc,
        LogPosition log) {

    /** Generations beyond this are no store's: one is made by a checkpoint. */
    private static final long GENERATION_MAX = 1L << 48;

    /** How long a device is that holds all of the store's segments. */
    long endOfSegments() {
        return SegmentTable.position(segmentCount, segmentSizeBytes);
    }

    /** What batches carry of the store's identity. */
    long storeId() {
        return storeUuidHigh ^ Long.rotateLeft(storeUuidLow, 1);
    }

    Superblock next(int segments, long sequence, long ppn, long salt, int ppnGeneration, int crc, LogPosition position,
            long newEpoch) {
        return new Superblock(
                storeUuidHigh, storeUuidLow, deviceUuidHigh, deviceUuidLow, secret, generation + 1, newEpoch,
                segmentSizeBytes, segments, sequence, ppn, salt, ppnGeneration, crc, position);
    }

    void encode(MemorySegment target, int slot, Digests digests) {
        target.fill((byte) 0);
        Fields.putLong(target, SuperblockDescriptor.MAGIC_OFFSET, SuperblockDescriptor.MAGIC);
        Fields.putInt(target, SuperblockDescriptor.FORMAT_VERSION_OFFSET, SuperblockDescriptor.FORMAT_VERSION);
        Fields.putShort(target, SuperblockDescriptor.SLOT_OFFSET, slot);
        Fields.putShort(target, SuperblockDescriptor.DEVICE_COUNT_OFFSET, 1);
        Fields.putShort(target, SuperblockDescriptor.COPIES_OFFSET, 1);
        Fields.putLong(target, SuperblockDescriptor.STORE_UUID_OFFSET, storeUuidHigh);
        Fields.putLong(target, SuperblockDescriptor.STORE_UUID_OFFSET + Long.BYTES, storeUuidLow);
        Fields.putLong(target, SuperblockDescriptor.DEVICE_UUID_OFFSET, deviceUuidHigh);
        Fields.putLong(target, SuperblockDescriptor.DEVICE_UUID_OFFSET + Long.BYTES, deviceUuidLow);
        Fields.putLong(target, SuperblockDescriptor.SECRET_OFFSET, secret);
        Fields.putLong(target, SuperblockDescriptor.GENERATION_OFFSET, generation);
        Fields.putLong(target, SuperblockDescriptor.EPOCH_OFFSET, epoch);
        Fields.putInt(target, SuperblockDescriptor.SEGMENT_SIZE_OFFSET, segmentSizeBytes);
        Fields.putInt(target, SuperblockDescriptor.SEGMENT_COUNT_OFFSET, segmentCount);
        Fields.putLong(target, SuperblockDescriptor.CHECKPOINT_SEQUENCE_OFFSET, checkpointSequence);
        Fields.putLong(target, SuperblockDescriptor.ROOT_PPN_OFFSET, rootPpn);
        Fields.putLong(target, SuperblockDescriptor.ROOT_SALT_OFFSET, rootSalt);
        Fields.putInt(target, SuperblockDescriptor.ROOT_GENERATION_OFFSET, rootGeneration);
        Fields.putInt(target, SuperblockDescriptor.ROOT_CRC_OFFSET, rootCrc);
        Fields.putInt(target, SuperblockDescriptor.LOG_SEGMENT_OFFSET, log.segment());
        Fields.putInt(target, SuperblockDescriptor.LOG_GENERATION_OFFSET, log.generation());
        Fields.putLong(target, SuperblockDescriptor.LOG_SALT_OFFSET, log.salt());
        Fields.putLong(target, SuperblockDescriptor.LOG_SEQUENCE_OFFSET, log.sequence());
        Fields.putLong(target, SuperblockDescriptor.LOG_DIGEST_OFFSET, log.digest());
        Fields.putInt(target, SuperblockDescriptor.LOG_POSITION_OFFSET, log.offset());
        Fields.putInt(
                target,
                SuperblockDescriptor.CRC_OFFSET,
                digests.crc(target.asSlice(0, SuperblockDescriptor.CRC_OFFSET)));
    }

    static boolean hasMagic(MemorySegment source) {
        return Fields.longAt(source, SuperblockDescriptor.MAGIC_OFFSET) == SuperblockDescriptor.MAGIC;
    }

    static boolean isSealed(MemorySegment source, Digests digests) {
        return hasMagic(source)
                && Fields.intAt(source, SuperblockDescriptor.CRC_OFFSET)
                        == digests.crc(source.asSlice(0, SuperblockDescriptor.CRC_OFFSET));
    }

    /** Throws what a format of another version, or a feature of it that this one does not know, means. */
    static void checkVersion(MemorySegment source, boolean readOnly) {
        final int version = Fields.intAt(source, SuperblockDescriptor.FORMAT_VERSION_OFFSET);
        if (version > SuperblockDescriptor.FORMAT_VERSION || version < 0) {
            throw new StorageException(
                    ErrorCode.TOO_NEW,
                    "store is too new: format version %d, this program knows %d; use a newer program"
                            .formatted(version, SuperblockDescriptor.FORMAT_VERSION));
        }
        if (version < SuperblockDescriptor.FORMAT_VERSION_OLDEST) {
            throw new StorageException(
                    ErrorCode.TOO_OLD,
                    "store is too old: format version %d, this program reads %d and later; export it with an older one"
                            .formatted(version, SuperblockDescriptor.FORMAT_VERSION_OLDEST));
        }
        final long incompatible = Fields.longAt(source, SuperblockDescriptor.INCOMPATIBLE_FEATURES_OFFSET);
        final long readOnlyFeatures = Fields.longAt(source, SuperblockDescriptor.READ_ONLY_FEATURES_OFFSET);
        if (incompatible != 0 || readOnlyFeatures != 0 && !readOnly) {
            throw new StorageException(
                    ErrorCode.TOO_NEW,
                    "store is too new: it uses unknown features, incompatible=0x%x writing=0x%x; use a newer program%s"
                            .formatted(incompatible, readOnlyFeatures, incompatible == 0 ? " or open read-only" : ""));
        }
    }

    /** Decodes a sealed copy; null when a field is out of its range, so that it can be no store's superblock. */
    static Superblock decode(MemorySegment source, int slot) {
        final long generation = Fields.longAt(source, SuperblockDescriptor.GENERATION_OFFSET);
        final int segmentSize = Fields.intAt(source, SuperblockDescriptor.SEGMENT_SIZE_OFFSET);
        final int segmentCount = Fields.intAt(source, SuperblockDescriptor.SEGMENT_COUNT_OFFSET);
        if (Fields.shortAt(source, SuperblockDescriptor.SLOT_OFFSET) != slot
                || generation < 1
                || generation > GENERATION_MAX
                || generation % 2 != slot % 2
                || !JournalOptions.isSegmentSize(segmentSize)
                || segmentCount < 1
                || segmentCount >= 1 << org.kvmdb.ffi.Ppn.SEGMENT_BITS
                || Fields.shortAt(source, SuperblockDescriptor.DEVICE_COUNT_OFFSET) != 1
                || Fields.shortAt(source, SuperblockDescriptor.DEVICE_INDEX_OFFSET) != 0) {
            return null;
        }
        final LogPosition log = decodePosition(source);
        if (log.segment() < 0
                || log.segment() >= segmentCount
                || log.offset() < 0
                || log.offset() >= segmentSize
                || log.offset() % BatchDescriptor.UNIT_BYTES != 0) {
            return null;
        }
        return new Superblock(
                Fields.longAt(source, SuperblockDescriptor.STORE_UUID_OFFSET),
                Fields.longAt(source, SuperblockDescriptor.STORE_UUID_OFFSET + Long.BYTES),
                Fields.longAt(source, SuperblockDescriptor.DEVICE_UUID_OFFSET),
                Fields.longAt(source, SuperblockDescriptor.DEVICE_UUID_OFFSET + Long.BYTES),
                Fields.longAt(source, SuperblockDescriptor.SECRET_OFFSET),
                generation,
                Fields.longAt(source, SuperblockDescriptor.EPOCH_OFFSET),
                segmentSize,
                segmentCount,
                Fields.longAt(source, SuperblockDescriptor.CHECKPOINT_SEQUENCE_OFFSET),
                Fields.longAt(source, SuperblockDescriptor.ROOT_PPN_OFFSET),
                Fields.longAt(source, SuperblockDescriptor.ROOT_SALT_OFFSET),
                Fields.intAt(source, SuperblockDescriptor.ROOT_GENERATION_OFFSET),
                Fields.intAt(source, SuperblockDescriptor.ROOT_CRC_OFFSET),
                log);
    }

    private static LogPosition decodePosition(MemorySegment source) {
        return new LogPosition(
                Fields.intAt(source, SuperblockDescriptor.LOG_SEGMENT_OFFSET),
                Fields.intAt(source, SuperblockDescriptor.LOG_GENERATION_OFFSET),
                Fields.longAt(source, SuperblockDescriptor.LOG_SALT_OFFSET),
                Fields.intAt(source, SuperblockDescriptor.LOG_POSITION_OFFSET),
                Fields.longAt(source, SuperblockDescriptor.LOG_SEQUENCE_OFFSET),
                Fields.longAt(source, SuperblockDescriptor.LOG_DIGEST_OFFSET));
    }
}
