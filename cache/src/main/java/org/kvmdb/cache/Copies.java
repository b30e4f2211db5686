package org.kvmdb.cache;

import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/** Copies between one region and memory of its users, a piece at a time, so that no safepoint waits long (FAULTPATH rule 19). */
final class Copies {

    /** Copied with one call. */
    private static final int PIECE_BYTES = 256 << 10;

    /** Pages that go to the log together: some batches, so that workers seldom run dry between two. */
    private static final long THROUGH_BYTES = 4 << 20;

    private static final Scratch SCRATCH = new Scratch();

    private final PageCache cache;
    private final Region region;
    private final long pageBytes;

    Copies(PageCache cache, Region region) {
        this.cache = cache;
        this.region = region;
        pageBytes = 1L << region.version().pageShift();
    }

    void read(long offset, MemorySegment destination) {
        if (cache.largeReads().isLarge(destination.byteSize())) {
            cache.largeReads().read(region, offset, destination);
        } else {
            readAlone(offset, destination);
        }
    }

    /** By way of memory of our own, which nobody unmaps meanwhile, and where the shim meets no page fault. */
    void readAlone(long offset, MemorySegment destination) {
        final MemorySegment scratch = SCRATCH.take();
        final long length = destination.byteSize();
        for (long done = 0; done < length; done += Scratch.BYTES) {
            final long piece = Math.min(Scratch.BYTES, length - done);
            region.readPiece(offset + done, piece, scratch);
            MemorySegment.copy(scratch, 0, destination, done, piece);
        }
        SCRATCH.giveBack(scratch);
    }

    /** To memory, or what is larger than may be dirty there to the log, as far as it is whole pages. */
    void write(long offset, MemorySegment source) {
        final long length = source.byteSize();
        final boolean isTooMuch = cache.isTooMuchToBeDirty(length);
        for (long done = 0; done < length; ) {
            final long at = offset + done;
            final long wholePages = (length - done) & -pageBytes;
            long piece = Math.min(wholePages, THROUGH_BYTES);
            if (isTooMuch && at % pageBytes == 0 && piece >= PIECE_BYTES) {
                writeThrough(at, source.asSlice(done, piece));
            } else {
                piece = Math.min(PIECE_BYTES - at % PIECE_BYTES, length - done);
                writeToMemory(at, source.asSlice(done, piece));
            }
            done += piece;
        }
    }

    /** Whole pages. */
    private void writeThrough(long offset, MemorySegment source) {
        final int count = (int) (source.byteSize() / pageBytes);
        final BitSet done = cache.writeThrough(region, offset / pageBytes, source);
        for (int i = done.nextClearBit(0); i < count; ) {
            final int end = Math.min(done.nextSetBit(i) < 0 ? count : done.nextSetBit(i), count);
            for (; i < end; i += (int) (PIECE_BYTES / pageBytes)) {
                final long piece = Math.min(PIECE_BYTES, (end - i) * pageBytes);
                writeToMemory(offset + i * pageBytes, source.asSlice(i * pageBytes, piece));
            }
            i = done.nextClearBit(end);
        }
    }

    private void writeToMemory(long offset, MemorySegment source) {
        region.expectWrites(offset, source.byteSize());
        MemorySegment.copy(source, 0, region.memory(), offset, source.byteSize());
    }
}
