package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import net.jpountz.lz4.LZ4Compressor;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.CompressionDictionary;

/**
 * Collects the material of a store's dictionary while pages are written: short pieces at equal distances from all of
 * the first pages written. {@link DictionaryPieces} chooses a quarter of them. Other, whole pages are kept to choose by
 * and to judge the result: with a dictionary, a page takes up to a third more time to compress and a fifth more to
 * decompress, so the dictionary must save space. If it does not, the sampler tries again after eight times as many
 * pages. Under the append lock, except {@link #judge}.
 */
final class DictionarySampler {

    private static final int PIECE_BYTES = 512;
    private static final int PIECES_BYTES = 4 * CompressionDictionary.LENGTH_MAX;
    private static final int PIECES = PIECES_BYTES / PIECE_BYTES;
    private static final int TRIAL_BYTES = 8 * CompressionDictionary.LENGTH_MAX;

    /** Where in their pages pieces are taken from: an odd step goes through all places. */
    private static final int STEP = 5;

    /** A dictionary has to save one of so many bytes. */
    private static final int SAVING = 10;

    private static final int PATIENCE = 8;

    /** What was collected, to be judged without the append lock. */
    record Sample(byte[] pieces, byte[] pages, int pageShift) {}

    private long strideBytes;
    /** Room for what is collected, from the first page on; null when there was none yet, or none is wanted any more. */
    private byte[] pieces;

    private byte[] pages;
    private int pieceCount;
    private int pagesLength;
    private int pageShift;
    private long seenBytes;
    private boolean isCollecting;
    private volatile boolean isReady;

    /** @param sampleBytes of pages that are sampled; 0: none are */
    DictionarySampler(long sampleBytes) {
        strideBytes = sampleBytes / PIECES;
        isCollecting = sampleBytes > 0;
    }

    /** The store has a dictionary, or is to have none. */
    void stop() {
        isCollecting = false;
        pieces = null;
        pages = null;
    }

    /** Looks at pages that are written, one behind the other. */
    void offer(MemorySegment written, int count, int shift) {
        if (!isCollecting) {
            return;
        }
        if (pieces == null) {
            pieces = new byte[PIECES_BYTES];
            pages = new byte[TRIAL_BYTES];
        }
        final int pageBytes = 1 << shift;
        for (int i = 0; i < count && pieceCount < PIECES; i++, seenBytes += pageBytes) {
            final long page = (long) i << shift;
            if (isWanted(shift)) {
                copy(written, page, pages, pagesLength, pageBytes);
                pagesLength += pageBytes;
                pageShift = shift;
            } else if (seenBytes >= pieceCount * strideBytes) {
                final int place = pieceCount * STEP % (pageBytes / PIECE_BYTES);
                copy(written, page + (long) place * PIECE_BYTES, pieces, pieceCount++ * PIECE_BYTES, PIECE_BYTES);
            }
        }
        isReady = pieceCount == PIECES;
    }

    /** Pages to judge by are of one size, and from all over, too: not more of them than of pieces, by their share. */
    private boolean isWanted(int shift) {
        return (pagesLength == 0 || shift == pageShift)
                && pagesLength + (1 << shift) <= (long) TRIAL_BYTES * pieceCount / PIECES;
    }

    /** Whether enough was collected; any thread. */
    boolean isReady() {
        return isReady;
    }

    private static void copy(MemorySegment source, long from, byte[] target, int at, int length) {
        MemorySegment.copy(source, from, MemorySegment.ofArray(target), at, length);
    }

    /** Hands over what was collected, when that is enough, and collects no more. */
    Sample take() {
        isReady = false;
        isCollecting = false;
        return new Sample(pieces, Arrays.copyOf(pages, pagesLength), pageShift);
    }

    /** Goes on with pages of the time to come, after a dictionary of what was taken did not save enough. */
    void retry() {
        strideBytes *= PATIENCE;
        pieceCount = 0;
        pagesLength = 0;
        seenBytes = 0;
        isCollecting = true;
    }

    /** A dictionary of what was collected; null when pages become hardly smaller with it. */
    static CompressionDictionary judge(Sample sample) {
        final CompressionDictionary dictionary = CompressionDictionary.of(MemorySegment.ofArray(choose(sample)));
        try {
            if (saves(dictionary, sample)) {
                return dictionary;
            }
        } catch (RuntimeException | Error e) {
            dictionary.close();
            throw e;
        }
        dictionary.close();
        return null;
    }

    /** By every second page, so that there are others to judge by. */
    private static byte[] choose(Sample sample) {
        final DictionaryPieces pieces = new DictionaryPieces(sample.pieces, PIECE_BYTES);
        final int pageBytes = 1 << sample.pageShift;
        for (int at = 0; at < sample.pages.length; at += 2 * pageBytes) {
            pieces.count(sample.pages, at, pageBytes);
        }
        return pieces.choose(CompressionDictionary.LENGTH_MAX);
    }

    private static boolean saves(CompressionDictionary dictionary, Sample sample) {
        final LZ4Compressor plain = Lz4.compressor();
        final int pageBytes = 1 << sample.pageShift;
        final ByteBuffer page = ByteBuffer.allocateDirect(pageBytes);
        final ByteBuffer payload = ByteBuffer.allocateDirect(plain.maxCompressedLength(pageBytes));
        long without = 0;
        long with = 0;
        for (int at = pageBytes; at < sample.pages.length; at += 2 * pageBytes) {
            page.clear().put(sample.pages, at, pageBytes).flip();
            without += blockLength(plain.compress(page, 0, pageBytes, payload, 0, payload.capacity()), pageBytes);
            with += blockLength(
                    dictionary.compress(MemorySegment.ofBuffer(page), MemorySegment.ofBuffer(payload.clear())), pageBytes);
        }
        return with < without && with * SAVING <= without * (SAVING - 1);
    }

    private static long blockLength(int payloadLength, int pageBytes) {
        return BlockDescriptor.blockLength(payloadLength == 0 ? pageBytes : Math.min(payloadLength, pageBytes));
    }
}
