package org.kvmdb.ffi;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Sizes and offsets that lie on disk, or are shared with C, do not change by accident. */
class LayoutTest {

    private static final List<Class<?>> DESCRIPTORS = List.of(
            BlockDescriptor.class,
            Ppn.class,
            SegmentTableDescriptor.class,
            MapNodeDescriptor.class,
            SpaceAccount.class,
            BadPage.class);

    private static final String GOLDEN =
            """
            BlockDescriptor.CRC_OFFSET=0
            BlockDescriptor.PAYLOAD_LENGTH_OFFSET=4
            BlockDescriptor.CODEC_OFFSET=8
            BlockDescriptor.TYPE_OFFSET=9
            BlockDescriptor.PAGE_SHIFT_OFFSET=10
            BlockDescriptor.VERSION_OFFSET=11
            BlockDescriptor.BIRTH_EPOCH_OFFSET=12
            BlockDescriptor.HEADER_LENGTH=16
            BlockDescriptor.SEED_SALT_OFFSET=0
            BlockDescriptor.SEED_GENERATION_OFFSET=8
            BlockDescriptor.SEED_PPN_OFFSET=16
            BlockDescriptor.SEED_LPN_OFFSET=24
            BlockDescriptor.SEED_FAMILY_OFFSET=32
            BlockDescriptor.SEED_LENGTH=40
            BlockDescriptor.VERSION=1
            BlockDescriptor.CODEC_RAW=1
            BlockDescriptor.CODEC_LZ4=2
            BlockDescriptor.CODEC_LZ4_DICTIONARY=3
            BlockDescriptor.TYPE_PAGE=1
            BlockDescriptor.TYPE_MAP_NODE=2
            BlockDescriptor.TYPE_METADATA=3
            BlockDescriptor.PAGE_SHIFT_MIN=12
            BlockDescriptor.PAGE_SHIFT_MAX=16
            Ppn.UNIT_BYTES=64
            Ppn.SEGMENT_BITS=28
            Ppn.OFFSET_BITS=18
            Ppn.LENGTH_BITS=11
            Ppn.FLAG_BITS=7
            Ppn.LENGTH_SHIFT=7
            Ppn.OFFSET_SHIFT=18
            Ppn.SEGMENT_SHIFT=36
            Ppn.SEGMENT_BYTES_MAX=16777216
            SegmentTableDescriptor.DEVICE_OFFSET_OFFSET=0
            SegmentTableDescriptor.SALT_OFFSET=8
            SegmentTableDescriptor.GENERATION_OFFSET=16
            SegmentTableDescriptor.DEVICE_INDEX_OFFSET=20
            SegmentTableDescriptor.COPIES_OFFSET=22
            SegmentTableDescriptor.STATE_OFFSET=23
            SegmentTableDescriptor.REMAPS_OFFSET=24
            SegmentTableDescriptor.ENTRY_LENGTH=32
            MapNodeDescriptor.FANOUT_BITS=9
            MapNodeDescriptor.FANOUT=512
            MapNodeDescriptor.HEIGHT=4
            MapNodeDescriptor.ENTRY_LENGTH=8
            MapNodeDescriptor.NODE_LENGTH=4096
            MapNodeDescriptor.LPN_LIMIT=68719476736
            SpaceAccount.AVAILABLE_OFFSET=0
            SpaceAccount.RESERVED_OFFSET=8
            SpaceAccount.GRANTED_OFFSET=16
            SpaceAccount.LIMIT_OFFSET=24
            SpaceAccount.GROW_STEP_OFFSET=32
            SpaceAccount.FD_OFFSET=40
            SpaceAccount.LOCK_OFFSET=44
            SpaceAccount.GROWTHS_OFFSET=48
            SpaceAccount.HOLE_POSITIONS_OFFSET=56
            SpaceAccount.HOLE_BYTES_OFFSET=64
            SpaceAccount.HOLE_COUNT_OFFSET=72
            SpaceAccount.REFUSAL_OFFSET=80
            SpaceAccount.LENGTH=88
            SpaceAccount.MEMORY_UNIT_BYTES=4096
            BadPage.NUMBER_OFFSET=0
            BadPage.LPN_OFFSET=8
            BadPage.PPN_OFFSET=16
            BadPage.CAUSE_OFFSET=24
            BadPage.DETAIL_OFFSET=28
            BadPage.THREAD_OFFSET=32
            BadPage.LENGTH=40
            BadPage.READ=1
            BadPage.CHECKSUM=2
            BadPage.CONTENT=3
            BadPage.MAP=4
            BadPage.BEYOND_END=5
            BadPage.FULL=6
            BadPage.DEADLINE=7
            BadPage.NO_PROGRESS=8
            BadPage.MEMORY=9
            BadPage.KERNEL=10
            BadPage.READ_ONLY=11
            BadPage.SPILL=12
            """;

    @Test
    void shouldBeTheGoldenLayoutWhenPrinted() {
        assertEquals(GOLDEN, DESCRIPTORS.stream().map(LayoutTest::print).collect(Collectors.joining()));
    }

    private static String print(Class<?> descriptor) {
        return Arrays.stream(descriptor.getDeclaredFields())
                .filter(field -> Modifier.isStatic(field.getModifiers()) && field.getType().isPrimitive())
                .map(field -> descriptor.getSimpleName() + '.' + field.getName() + '=' + valueOf(field) + '\n')
                .collect(Collectors.joining());
    }

    private static Object valueOf(Field field) {
        try {
            field.setAccessible(true);
            return field.get(null);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldBeTheLayoutThatTheShimWasBuiltWith() {
        assertDoesNotThrow(LayoutCheck::run);
    }

    /** The last one would arrive as garbage; see {@link Shim}. */
    @Test
    void shouldCallNothingWithSixParameters() {
        assertEquals(
                List.of(),
                Arrays.stream(Shim.class.getMethods())
                        .filter(method -> method.getParameterCount() == 6)
                        .toList());
    }

    @Test
    void shouldRoundABlockUpToWholeUnits() {
        assertEquals(64, BlockDescriptor.blockLength(1));
        assertEquals(64, BlockDescriptor.blockLength(48));
        assertEquals(128, BlockDescriptor.blockLength(49));
        assertEquals(4160, BlockDescriptor.blockLength(4096));
    }

    @Test
    void shouldFindAnLpnsWayThroughTheMap() {
        final long lpn = (3L << 27) + (5L << 18) + (7L << 9) + 511;
        assertEquals(511, MapNodeDescriptor.index(lpn, 0));
        assertEquals(7, MapNodeDescriptor.index(lpn, 1));
        assertEquals(5, MapNodeDescriptor.index(lpn, 2));
        assertEquals(3, MapNodeDescriptor.index(lpn, 3));
        assertEquals(12345, MapNodeDescriptor.childNode(MapNodeDescriptor.childEntry(12345)));
        assertEquals(true, MapNodeDescriptor.isInMemory(MapNodeDescriptor.childEntry(12345)));
        assertEquals(false, MapNodeDescriptor.isInMemory(Ppn.pack(1, 64, 64)));
    }
}
