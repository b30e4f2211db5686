package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Which pieces a dictionary is made of, and where in it they lie. */
class DictionaryPiecesTest {

    private static final int PIECE_BYTES = 64;
    private static final int PAGE_BYTES = 1024;
    private static final int PAGES = 8;

    private final Random random = new Random(7);
    private final byte[] often = bytes(PIECE_BYTES);
    private final byte[] sometimes = bytes(PIECE_BYTES);
    private final byte[] once = bytes(PIECE_BYTES);
    private final byte[] never = bytes(PIECE_BYTES);

    private byte[] bytes(int count) {
        final byte[] result = new byte[count];
        random.nextBytes(result);
        return result;
    }

    private static byte[] concatenated(byte[]... parts) {
        final byte[] all = new byte[parts.length * PIECE_BYTES];
        for (int i = 0; i < parts.length; i++) {
            System.arraycopy(parts[i], 0, all, i * PIECE_BYTES, PIECE_BYTES);
        }
        return all;
    }

    /** Pages of noise with pieces in them, each in so many of them. */
    private DictionaryPieces counted(byte[] candidates) {
        final DictionaryPieces pieces = new DictionaryPieces(candidates, PIECE_BYTES);
        final byte[] pages = bytes(PAGES * PAGE_BYTES);
        for (int i = 0; i < PAGES; i++) {
            put(often, pages, i, 100);
            if (i % 2 == 0) {
                put(sometimes, pages, i, 300);
            }
        }
        for (int at = 0; at <= PAGE_BYTES - PIECE_BYTES; at += PIECE_BYTES) {
            if (at < 100 - PIECE_BYTES || at > 300 + PIECE_BYTES) {
                System.arraycopy(once, 0, pages, at, PIECE_BYTES); // in the first page, again and again
            }
        }
        for (int i = 0; i < PAGES; i++) {
            pieces.count(pages, i * PAGE_BYTES, PAGE_BYTES);
        }
        return pieces;
    }

    private static void put(byte[] piece, byte[] pages, int page, int at) {
        System.arraycopy(piece, 0, pages, page * PAGE_BYTES + at, PIECE_BYTES);
    }

    @Test
    void shouldPutWhatMostPagesHaveLast() {
        final byte[] candidates = concatenated(never, often, once, sometimes);
        assertArrayEquals(
                concatenated(sometimes, often), counted(candidates).choose(2 * PIECE_BYTES));
    }

    @Test
    void shouldTakeNoPieceForWordsThatOneBeforeHas() {
        final byte[] candidates = concatenated(often, never, often, often, sometimes);
        assertArrayEquals(
                concatenated(sometimes, often), counted(candidates).choose(2 * PIECE_BYTES));
    }

    @Test
    void shouldChooseEachPieceOnce() {
        final byte[] candidates = bytes(8 * PIECE_BYTES);
        final byte[] chosen = counted(candidates).choose(candidates.length);
        final String[] before = new String[8];
        final String[] after = new String[8];
        for (int i = 0; i < before.length; i++) {
            before[i] = Arrays.toString(Arrays.copyOfRange(candidates, i * PIECE_BYTES, (i + 1) * PIECE_BYTES));
            after[i] = Arrays.toString(Arrays.copyOfRange(chosen, i * PIECE_BYTES, (i + 1) * PIECE_BYTES));
        }
        Arrays.sort(before);
        Arrays.sort(after);
        assertEquals(Arrays.asList(before), Arrays.asList(after));
    }
}
