package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.lang.reflect.Field;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;

/**
 * What planted bugs do instead of what the store does, each called in the place of the method whose receiver and arguments it
 * takes. Loaded anew for each bug, so what it remembers is of one run. And a hook that is no bug: for commits in the
 * middle of a checkpoint.
 */
final class PlantedCode {

    private static final int SOME_RECORDS = 5;

    private static int calls;
    private static Superblock lateSuperblock;
    private static Runnable withinCheckpoint = () -> {};

    private PlantedCode() {}

    // ---- flushes ----

    /** Every other flush comes with the next one. */
    static void flushLate(LogWriter log) {
        if (++calls % 2 == 0) {
            log.flush();
        }
    }

    /** What makes a commit visible comes before what makes it durable. */
    static void applyAndFlush(Append append) {
        append.apply();
        append.flush();
    }

    static void applyOnce(Append append) {
        if (!field(append, "state").toString().equals("APPLIED")) {
            append.apply();
        }
    }

    static void flushEverySecond(Device device) {
        if (++calls % 2 == 0) {
            device.flush();
        }
    }

    static void flushRetrying(Device device) {
        try {
            device.flush();
        } catch (StorageException e) {
            device.flush();
        }
    }

    /** Says of the batch before, which was just written, that it is durable. */
    static void putSequenceBefore(MemorySegment header, long at, long knownDurable) {
        Fields.putLong(header, at, Math.max(knownDurable, Fields.longAt(header, BatchDescriptor.SEQUENCE_OFFSET) - 1));
    }

    // ---- superblock ----

    static long generationAfter(Superblock superblock) {
        return superblock.generation() + 1;
    }

    /** Writes what the checkpoint before should have written. */
    static void writeSuperblockLate(SuperblockStore store, Superblock superblock) {
        if (superblock.generation() <= 2) {
            store.write(superblock);
            return;
        }
        if (lateSuperblock != null && lateSuperblock.generation() == superblock.generation() - 1) {
            store.write(lateSuperblock);
        }
        lateSuperblock = superblock;
    }

    // ---- log ----

    static void resumeOneUnitEarlier(LogWriter log, LogPosition end, long durable, long superblockGeneration) {
        log.resume(
                new LogPosition(
                        end.segment(), end.generation(), end.salt(), end.offset() - BatchDescriptor.UNIT_BYTES, end.sequence(),
                        end.digest()),
                durable, superblockGeneration);
    }

    /** Whether a batch ends a commit; or holds no map nodes, which do not apply. */
    static boolean hasMarkOrPages(ScannedBatch batch, int flag) {
        return batch.has(flag) || !hasNodes(batch);
    }

    /** Keeps what a commit left that was given up. */
    static void clearNodes(List<?> group) {
        group.removeIf(batch -> hasNodes((ScannedBatch) batch));
    }

    private static boolean hasNodes(ScannedBatch batch) {
        final boolean[] found = {false};
        Records.forEach(batch, record -> found[0] |= record.kind() == RecordDescriptor.KIND_BLOCK);
        return found[0];
    }

    static void acceptAllButSome(Consumer<Object> consumer, Object record) {
        if (++calls % SOME_RECORDS != 0) {
            consumer.accept(record);
        }
    }

    // ---- blocks ----

    /** The bytes of a block that its checksum covers, without the padding behind its payload. */
    static MemorySegment withoutPadding(MemorySegment block, long from, long length) {
        final int payload = Fields.intAt(block, BlockDescriptor.PAYLOAD_LENGTH_OFFSET);
        return block.asSlice(from, Math.min(length, BlockDescriptor.HEADER_LENGTH + payload - from));
    }

    /** Verifies a block against the checksum that it carries. */
    static String verifyUnsealed(
            BlockReader reader, MemorySegment block, long salt, int generation, long ppn, byte type, long lpn, long family,
            MemorySegment page, int pageShift) {
        return new BlockSeal().decode(block, type, Fields.intAt(block, BlockDescriptor.CRC_OFFSET), page, pageShift);
    }

    // ---- segments ----

    /** A segment whose last block dies is free at once. */
    static void removeLiveAndFree(SegmentTable segments, long name) {
        final int segment = Ppn.segment(segments.resolve(name));
        segments.removeLive(name);
        if (isEmpty(segments, segment)) {
            segments.free().add(segment);
        }
    }

    /** A segment whose last block dies gives its disk space back at once. */
    static void removeLiveAndPunch(SegmentTable segments, long name) {
        final int segment = Ppn.segment(segments.resolve(name));
        segments.removeLive(name);
        if (isEmpty(segments, segment)) {
            ((Device) field(segments.free(), "device")).discard(segments.position(segment), segments.segmentSizeBytes());
        }
    }

    private static boolean isEmpty(SegmentTable segments, int segment) {
        return segments.state(segment) == SegmentState.FULL && segments.live(segment) == 0 && segments.stolen(segment) == 0;
    }

    /** The volume, whether it holds the block or not. */
    static VolumeEntry headAnyway(Holders holders, int volumeId, long lpn, long name) {
        return ((Catalog) field(holders, "catalog")).find(volumeId);
    }

    /** A checkpoint that knows of no names. */
    static long[][] cutWithoutNames(Remaps remaps) {
        remaps.cut();
        return new long[0][];
    }

    private static Object field(Object object, String name) {
        try {
            final Field field = object.getClass().getDeclaredField(name);
            field.setAccessible(true);
            return field.get(object);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("a planted bug does not fit: " + e.getMessage(), e);
        }
    }

    // ---- no bug: commits within a checkpoint ----

    /** Has that run in the middle of every checkpoint that happens during the action. */
    static <T> T withinCheckpoints(Runnable commits, Supplier<T> action) {
        withinCheckpoint = commits;
        try {
            return action.get();
        } finally {
            withinCheckpoint = () -> {};
        }
    }

    /** Called by a checkpoint for each node that it writes, without any lock. */
    static int toImage(NodeArena arena, int node, int level, MemorySegment image) {
        final Runnable commits = withinCheckpoint;
        withinCheckpoint = () -> {};
        commits.run();
        return StoredNode.toImage(arena, node, level, image);
    }
}
