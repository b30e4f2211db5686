package org.kvmdb.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Compares the layouts that the shim was built with to those of the Java descriptors, value by value. */
final class LayoutCheck {

    private LayoutCheck() {}

    static void run() {
        final int[] expected = expected();
        final int[] actual = actual(expected.length);
        if (!Arrays.equals(expected, actual)) {
            throw new StorageException(
                    ErrorCode.UNSUPPORTED,
                    "native library and classes are of different builds: expected layout %s, actual %s; rebuild"
                            .formatted(Arrays.toString(expected), Arrays.toString(actual)));
        }
    }

    /** In the order of {@code layout.c}. */
    static int[] expected() {
        return new int[] {
            Integer.numberOfTrailingZeros(Ppn.UNIT_BYTES),
            Ppn.LENGTH_SHIFT,
            Ppn.OFFSET_SHIFT,
            Ppn.SEGMENT_SHIFT,
            BlockDescriptor.CRC_OFFSET,
            BlockDescriptor.PAYLOAD_LENGTH_OFFSET,
            BlockDescriptor.CODEC_OFFSET,
            BlockDescriptor.TYPE_OFFSET,
            BlockDescriptor.PAGE_SHIFT_OFFSET,
            BlockDescriptor.VERSION_OFFSET,
            BlockDescriptor.BIRTH_EPOCH_OFFSET,
            BlockDescriptor.HEADER_LENGTH,
            BlockDescriptor.SEED_SALT_OFFSET,
            BlockDescriptor.SEED_GENERATION_OFFSET,
            BlockDescriptor.SEED_PPN_OFFSET,
            BlockDescriptor.SEED_LPN_OFFSET,
            BlockDescriptor.SEED_FAMILY_OFFSET,
            BlockDescriptor.SEED_LENGTH,
            SegmentTableDescriptor.DEVICE_OFFSET_OFFSET,
            SegmentTableDescriptor.SALT_OFFSET,
            SegmentTableDescriptor.GENERATION_OFFSET,
            SegmentTableDescriptor.DEVICE_INDEX_OFFSET,
            SegmentTableDescriptor.COPIES_OFFSET,
            SegmentTableDescriptor.STATE_OFFSET,
            SegmentTableDescriptor.REMAPS_OFFSET,
            SegmentTableDescriptor.ENTRY_LENGTH,
            RemapTableDescriptor.COUNT_OFFSET,
            RemapTableDescriptor.ENTRIES_OFFSET,
            RemapTableDescriptor.ENTRY_NAME_OFFSET,
            RemapTableDescriptor.ENTRY_TARGET_OFFSET,
            RemapTableDescriptor.ENTRY_LENGTH,
            MapNodeDescriptor.FANOUT_BITS,
            MapNodeDescriptor.HEIGHT,
            SpaceAccount.AVAILABLE_OFFSET,
            SpaceAccount.RESERVED_OFFSET,
            SpaceAccount.GRANTED_OFFSET,
            SpaceAccount.LIMIT_OFFSET,
            SpaceAccount.GROW_STEP_OFFSET,
            SpaceAccount.FD_OFFSET,
            SpaceAccount.HOLE_POSITIONS_OFFSET,
            SpaceAccount.HOLE_BYTES_OFFSET,
            SpaceAccount.HOLE_COUNT_OFFSET,
            SpaceAccount.LENGTH,
            CompressionDictionary.LENGTH_MAX,
            CompressionDictionary.COMPRESSOR_LENGTH,
            BlockBuffers.FIELDS_LENGTH,
            NativePool.OPTIONS_LENGTH,
            NativeRegion.OPTIONS_LENGTH,
            BadPage.LENGTH,
            FaultCounters.LENGTH,
            FaultLatency.BUCKETS,
            FaultKind.values().length,
            FaultPlan.RULE_LENGTH,
            FaultPlan.Operation.values().length,
            FaultPlan.Effect.values().length,
        };
    }

    private static int[] actual(int capacity) {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment values = arena.allocate(ValueLayout.JAVA_INT, capacity + 1L);
            final int count = ShimLibrary.shim().kvmdb_layout(values.address(), capacity + 1);
            return values.asSlice(0, Math.min(count, capacity + 1L) * Integer.BYTES).toArray(ValueLayout.JAVA_INT);
        }
    }
}
