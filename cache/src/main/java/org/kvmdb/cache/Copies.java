package org.kvmdb.cache;

import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/** Copies between one region and its users' memory, one piece at a time, so that no safepoint waits long. */
final class Copies {

    /** Copied with one call. */
    private static final int PIECE_BYTES = Scratch.BYTES;

    /** Pages that go to the log together: some batches, so that workers seldom run dry between two. */
    private static final long THROUGH_BYTES = 4 << 20;

    /** Less is not worth a batch. */
    private static final long THROUGH_BYTES_MIN = 256 << 10;

    private static final Scratch SCRATCH = new Scratch();

    private final PageCache cache;
    private final Region region;
    private final long pageBytes;
    private final ReadStreams streams;

    Copies(PageCache cache, Region region) {
        this.cache = cache;
        this.region = region;
        streams = new ReadStreams(region);
        pageBytes = 1L << region.version().pageShift();
    }

    void read(long offset, MemorySegment destination) {
        final boolean isLarge = cache.largeReads().isLarge(destination.byteSize());
        final ReadStreams.Stream stream = streams.call(offset, destination.byteSize(), isLarge);
        if (isLarge) {
            cache.largeReads().read(region, offset, destination, stream);
        } else {
            readAlone(offset, destination, stream);
        }
    }

    /** By way of memory of our own, which nobody unmaps meanwhile, and where the shim meets no page fault. */
    void readAlone(long offset, MemorySegment destination, ReadStreams.Stream stream) {
        final MemorySegment scratch = SCRATCH.take();
        final long length = destination.byteSize();
        for (long done = 0; done < length; done += PIECE_BYTES) {
            stream.reach(offset + done);
            final long piece = Math.min(PIECE_BYTES, length - done);
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
            if (isTooMuch && at % pageBytes == 0 && piece >= THROUGH_BYTES_MIN) {
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

    /** A piece. */
    private void writeToMemory(long offset, MemorySegment source) {
        final long length = source.byteSize();
        if (region.expectWrites(offset, length) && length >= pageBytes) {
            writeMissing(offset, source);
        } else {
            MemorySegment.copy(source, 0, region.memory(), offset, length);
        }
    }

    /**
     * Whole pages that are not in memory get there with their new content; the others are written where they are. By
     * way of memory of our own, as in reading.
     */
    private void writeMissing(long offset, MemorySegment source) {
        final long length = source.byteSize();
        final MemorySegment scratch = SCRATCH.take();
        MemorySegment.copy(source, 0, scratch, 0, length);
        long written = region.writeMissing(offset, length, scratch);
        for (long done = 0; done < length; written >>>= 1) {
            final long at = offset + done;
            final long page = Math.min(pageBytes - at % pageBytes, length - done);
            if ((written & 1) == 0) {
                MemorySegment.copy(scratch, done, region.memory(), at, page);
            }
            done += page;
        }
        SCRATCH.giveBack(scratch);
    }
}
