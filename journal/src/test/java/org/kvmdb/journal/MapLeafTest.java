package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;

/** Leaves that the shim loads: it takes none that would not be taken entry by entry. */
class MapLeafTest {

    private static final int BIRTH = 7;
    private static final long LPN = 512 * 3;
    private static final long FAMILY = NodeIdentity.family(99, 0);

    private final Arena memory = Arena.ofShared();
    private final MemorySegment image = memory.allocate(MapNodeDescriptor.NODE_LENGTH, 64);
    private final MemorySegment node = memory.allocate(MapNodeDescriptor.NODE_LENGTH, 64);
    private final MemorySegment room = memory.allocate(BlockEncoder.destinationLength(StoredNode.SHORT_SHIFT), 64);
    private final BlockSeal seal = new BlockSeal();
    private Journal journal;
    private SegmentTable segments;
    private int segment;

    @BeforeEach
    void open() {
        journal = Journal.create(new MemoryDevice("leaves"), JournalOptions.defaults().withSegmentSizeBytes(1 << 20));
        segments = journal.parts().segments();
        segment = journal.parts().log().position().segment();
        for (int i = 0; i < MapNodeDescriptor.FANOUT; i += 3) {
            entry(i, Ppn.pack(segment, 4096 + 64 * i, 64 + 64 * (i % 60)));
        }
    }

    @AfterEach
    void close() {
        journal.close();
        memory.close();
    }

    private void entry(int index, long ppn) {
        image.setAtIndex(ValueLayout.JAVA_LONG, index, ppn);
    }

    /** The image as a sealed block. */
    private MemorySegment block(long ppnOfRoom, int birth) {
        final int length =
                BlockEncoder.encode(image, StoredNode.SHORT_SHIFT, BlockDescriptor.TYPE_MAP_NODE, birth, room);
        final MemorySegment block = room.asSlice(0, length);
        seal(block, ppnOfRoom);
        return block;
    }

    private void seal(MemorySegment block, long ppnOfRoom) {
        final long ppn = ppnOf(block, ppnOfRoom);
        Fields.putInt(block, BlockDescriptor.CRC_OFFSET, seal.crc(
                block, segments.salt(segment), segments.generation(segment), ppn, LPN, FAMILY));
    }

    private static long ppnOf(MemorySegment block, long ppnOfRoom) {
        return Ppn.pack(Ppn.segment(ppnOfRoom), Ppn.offsetBytes(ppnOfRoom), (int) block.byteSize());
    }

    private long place() {
        return Ppn.pack(segment, 64 << 10, 64);
    }

    private int load(MemorySegment block) {
        return segments.loadLeaf(node, block, ppnOf(block, place()), LPN, FAMILY, MapNodeDescriptor.FANOUT);
    }

    private void assertRefused(int birth) {
        assertEquals(0, birth);
        assertTrue(Fields.isZero(node, 0, node.byteSize()));
    }

    @Test
    void shouldLoadALeafAsItWasStored() {
        assertEquals(BIRTH, load(block(place(), BIRTH)));
        assertEquals(-1, image.mismatch(node));
    }

    @Test
    void shouldLoadOneThatDoesNotCompress() {
        final Random random = new Random(3);
        for (int i = 0; i < MapNodeDescriptor.FANOUT; i++) {
            entry(i, Ppn.pack(segment, 4096 + 64 * random.nextInt(14_000), 64 * (1 + random.nextInt(1000))));
        }
        final MemorySegment block = block(place(), BIRTH);
        assertEquals(BIRTH, load(block));
        assertEquals(-1, image.mismatch(node));
    }

    @Test
    void shouldRefuseWhatIsNotTheBlockAskedFor() {
        final MemorySegment block = block(place(), BIRTH);
        final long ppn = ppnOf(block, place());
        final int pages = MapNodeDescriptor.FANOUT;
        assertRefused(segments.loadLeaf(node, block, ppn, LPN + 512, FAMILY, pages));
        assertRefused(segments.loadLeaf(node, block, ppn, LPN, FAMILY + 1, pages));
        assertRefused(segments.loadLeaf(
                node, block, Ppn.pack(segment, Ppn.offsetBytes(ppn) + 64, (int) block.byteSize()), LPN, FAMILY, pages));
        for (int bit = 0; bit < 8 * block.byteSize(); bit += 5) {
            final byte before = block.get(ValueLayout.JAVA_BYTE, bit / 8);
            block.set(ValueLayout.JAVA_BYTE, bit / 8, (byte) (before ^ 1 << bit % 8));
            assertRefused(load(block));
            block.set(ValueLayout.JAVA_BYTE, bit / 8, before);
        }
        assertEquals(BIRTH, load(block));
    }

    @Test
    void shouldRefuseHeadersThatAreSealedAndWrong() {
        assertRefused(load(block(place(), 0)));
        assertRefused(load(block(place(), -1)));
        final int[] offsets = {
            BlockDescriptor.TYPE_OFFSET, BlockDescriptor.CODEC_OFFSET, BlockDescriptor.PAGE_SHIFT_OFFSET,
            BlockDescriptor.VERSION_OFFSET, BlockDescriptor.PAYLOAD_LENGTH_OFFSET + 1
        };
        for (int offset : offsets) {
            final MemorySegment block = block(place(), BIRTH);
            Fields.putByte(block, offset, Fields.byteAt(block, offset) + 1);
            seal(block, place());
            assertRefused(load(block));
        }
    }

    @Test
    void shouldTakeAnEntryIfAndOnlyIfItIsPlausible() {
        final Random random = new Random(5);
        final int[] used = {segment, segment + 1, segments.count() - 1, segments.count(), segments.count() + 1};
        int taken = 0;
        for (int i = 0; i < 2000; i++) {
            final int offset = random.nextBoolean() ? 64 * random.nextInt(1 << 14) : 64 * random.nextInt(4);
            final long ppn = Ppn.pack(used[random.nextInt(used.length)], offset, 64 * (1 + random.nextInt(1025)))
                    | (random.nextInt(8) == 0 ? 1L << random.nextInt(7) : 0);
            image.fill((byte) 0);
            entry(random.nextInt(MapNodeDescriptor.FANOUT), ppn);
            final boolean isPlausible = segments.isPlausible(ppn);
            node.fill((byte) 0);
            assertEquals(isPlausible ? BIRTH : 0, load(block(place(), BIRTH)), Ppn.toString(ppn));
            taken += isPlausible ? 1 : 0;
        }
        assertTrue(taken > 100 && taken < 1900, "taken: " + taken);
    }

    @Test
    void shouldRefuseEntriesBehindTheEnd() {
        final MemorySegment block = block(place(), BIRTH);
        final long ppn = ppnOf(block, place());
        assertRefused(segments.loadLeaf(node, block, ppn, LPN, FAMILY, 510));
        assertEquals(BIRTH, segments.loadLeaf(node, block, ppn, LPN, FAMILY, 511)); // the last one is at 510
    }
}
