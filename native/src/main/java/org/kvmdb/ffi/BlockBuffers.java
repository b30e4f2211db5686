package org.kvmdb.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Where pages become blocks, in C ({@code block_writer.h}): room for some pages and for their blocks at worst. One thread at
 * a time; the memory is that of the arena.
 */
public final class BlockBuffers {

    private static final int LENGTHS_ALIGNMENT = 64;
    private static final int PAGES_ALIGNMENT = 4096;
    private static final int DICTIONARY_FIELD = 3;
    static final int FIELDS_LENGTH = 5 * Long.BYTES;

    private final MemorySegment fields;
    private final MemorySegment pages;
    private final MemorySegment blocks;
    private final MemorySegment lengths;

    /** @param pagesBytes most bytes of pages, of any size */
    public BlockBuffers(Arena arena, int pagesBytes) {
        pages = arena.allocate(pagesBytes, PAGES_ALIGNMENT);
        blocks = arena.allocate(blocksBytes(pagesBytes), Ppn.UNIT_BYTES);
        lengths = arena.allocate((long) pagesBytes >>> BlockDescriptor.PAGE_SHIFT_MIN << 2, LENGTHS_ALIGNMENT);
        final MemorySegment table = arena.allocate(CompressionDictionary.COMPRESSOR_LENGTH, Long.BYTES);
        fields = arena.allocateFrom(
                ValueLayout.JAVA_LONG, pages.address(), blocks.address(), lengths.address(), 0, table.address());
    }

    /** Bytes of memory for so many bytes of pages. */
    public static int memoryBytes(int pagesBytes) {
        return pagesBytes + blocksBytes(pagesBytes) + CompressionDictionary.COMPRESSOR_LENGTH;
    }

    private static int blocksBytes(int pagesBytes) {
        final int pageBytesMin = 1 << BlockDescriptor.PAGE_SHIFT_MIN;
        return pagesBytes / pageBytesMin * BlockDescriptor.blockLength(pageBytesMin);
    }

    /** Where pages are put that are encoded next. */
    public MemorySegment pages() {
        return pages;
    }

    /** What pages are compressed against from now on; null: nothing. It is closed after the last of them. */
    public void dictionary(CompressionDictionary dictionary) {
        fields.setAtIndex(ValueLayout.JAVA_LONG, DICTIONARY_FIELD, dictionary == null ? 0 : dictionary.address());
    }

    /** Makes a block of each of the first pages. */
    public void encode(int count, int pageShift) {
        checkRoom(count, pageShift);
        ShimLibrary.shim().kvmdb_blocks_encode(address(), count, pageShift);
    }

    /** Length of a block. */
    public int blockLength(int index) {
        return lengths.getAtIndex(ValueLayout.JAVA_INT, index);
    }

    /** A block by where it begins, behind those before it. */
    public MemorySegment block(long at, int length) {
        return blocks.asSlice(at, length);
    }

    long address() {
        return fields.address();
    }

    void checkRoom(int count, int pageShift) {
        if (pages.byteSize() < (long) count << pageShift) {
            throw new IllegalArgumentException("%d pages do not fit".formatted(count));
        }
    }
}
