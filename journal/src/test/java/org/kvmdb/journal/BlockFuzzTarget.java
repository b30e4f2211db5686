package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.journal.fuzz.Edit;
import org.kvmdb.journal.fuzz.FuzzTarget;
import org.kvmdb.journal.fuzz.Place;

/**
 * Blocks with lies in header and payload, sealed for where they lie, are verified and decoded. What lies behind the page in
 * memory must stay as it is.
 */
public final class BlockFuzzTarget implements FuzzTarget {

    private static final int SHIFT = 12;
    private static final int GUARD = 4096;
    private static final byte GUARD_BYTE = 0x5A;

    private final BlockSeal seal = new BlockSeal();
    private final MemorySegment page = Arena.ofAuto().allocate((1 << SHIFT) + GUARD, 64);
    private final MemorySegment block = Arena.ofAuto().allocate(BlockEncoder.destinationLength(SHIFT) + GUARD, 64);
    private final Map<String, byte[]> seeds = new HashMap<>();

    public BlockFuzzTarget() {
        for (int version = 1; version <= 6; version++) {
            PageContent.fill(page.asSlice(0, 1 << SHIFT), 1, 2, version);
            keep(version);
        }
        page.fill((byte) 0);
        keep(7);
    }

    private void keep(int number) {
        final int length = BlockEncoder.encode(page.asSlice(0, 1 << SHIFT), SHIFT, block);
        seeds.put("block/" + number, block.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
    }

    @Override
    public String name() {
        return "block";
    }

    @Override
    public String valid() {
        return "decoded ".repeat(seeds.size());
    }

    @Override
    public List<Place> places() {
        final List<Place> places = new ArrayList<>();
        seeds.forEach((name, bytes) -> {
            final List<Place.Field> fields = new ArrayList<>();
            IntStream.range(4, Math.min(bytes.length - 8, 80)).forEach(at -> {
                fields.add(new Place.Field(at, 1));
                fields.add(new Place.Field(at, 4));
            });
            places.add(new Place(name, bytes, fields));
        });
        return places;
    }

    @Override
    public String run(List<Edit> program) {
        final Map<String, byte[]> edited = new HashMap<>(seeds);
        Edit.apply(program, edited);
        final StringBuilder outcome = new StringBuilder();
        edited.forEach((name, bytes) -> {
            if (bytes != seeds.get(name) || program.isEmpty()) {
                outcome.append(verify(bytes)).append(' ');
            }
        });
        return outcome.toString();
    }

    private String verify(byte[] bytes) {
        final int length = Math.clamp(BlockDescriptor.blockLength(bytes.length - BlockDescriptor.HEADER_LENGTH), 64,
                BlockEncoder.blockLengthMax(SHIFT));
        final MemorySegment stored = block.asSlice(0, length);
        stored.copyFrom(MemorySegment.ofArray(Arrays.copyOf(bytes, length)));
        final int crc = seal.crc(stored, 1, 2, 3, 4, 5);
        Fields.putInt(stored, BlockDescriptor.CRC_OFFSET, crc);
        page.fill(GUARD_BYTE);
        final String wrong =
                seal.decode(stored, BlockDescriptor.TYPE_PAGE, crc, page.asSlice(0, 1 << SHIFT), SHIFT);
        for (int i = 0; i < GUARD; i++) {
            if (Fields.byteAt(page, (1 << SHIFT) + i) != GUARD_BYTE) {
                throw new AssertionError("a block was decoded beyond its page");
            }
        }
        return wrong == null ? "decoded" : wrong.replaceAll("[=:].*", "").replaceAll("\\d+", "N");
    }
}
