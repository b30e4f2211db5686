package org.kvmdb.journal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * Chooses the pieces of a dictionary with the help of pages: the most valuable piece holds words that many pages have
 * and no piece chosen before has. The order matters as well. LZ4 remembers 4,096 places of a dictionary, and the last
 * of those that it cannot tell apart. So it finds the end of a long dictionary better than its beginning, and the best
 * piece comes last.
 */
final class DictionaryPieces {

    /** LZ4 looks for matches by five bytes; those that are just as long hardly save anything. */
    private static final int WORD_BYTES = 6;

    private static final int WORD_SHIFT = Byte.SIZE * (Long.BYTES - WORD_BYTES);
    private static final int HASH_BITS = 16;
    private static final long HASH_MULTIPLIER = 0x9E3779B185EBCA87L;
    private static final VarHandle LONGS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] candidates;
    private final int pieceBytes;
    /** By the hash of a word: how many pages beyond the first have it. */
    private final int[] shared = new int[1 << HASH_BITS];
    /** By the hash of a word: who was the last one to see it. */
    private final int[] seenBy = new int[1 << HASH_BITS];

    private int seers;

    private record Piece(int at, int worth) {}

    /** @param candidates pieces of that length, one behind the other */
    DictionaryPieces(byte[] candidates, int pieceBytes) {
        this.candidates = candidates;
        this.pieceBytes = pieceBytes;
    }

    /** Looks at a page that is to be compressed well; what it holds several times it can do without a dictionary. */
    void count(byte[] pages, int from, int pageBytes) {
        seers++;
        for (int at = from; at <= from + pageBytes - Long.BYTES; at++) {
            final int word = word(pages, at);
            if (seenBy[word] != seers) {
                // The first page counts as none: what one page alone has is nothing that pages have in common.
                shared[word] += seenBy[word] == 0 ? 0 : 1;
                seenBy[word] = seers;
            }
        }
    }

    /** The best pieces, that many bytes of them. */
    byte[] choose(int bytes) {
        final PriorityQueue<Piece> queue =
                new PriorityQueue<>(Comparator.comparingInt(Piece::worth).reversed().thenComparingInt(Piece::at));
        for (int at = 0; at < candidates.length; at += pieceBytes) {
            queue.add(new Piece(at, worth(at)));
        }
        final byte[] chosen = new byte[bytes];
        for (int end = bytes; end > 0; end -= pieceBytes) {
            final int at = takeBest(queue);
            System.arraycopy(candidates, at, chosen, end - pieceBytes, pieceBytes);
        }
        return chosen;
    }

    /** What a piece is worth only falls, with the words that others have taken: a worth of before is a bound. */
    private int takeBest(PriorityQueue<Piece> queue) {
        while (true) {
            final Piece best = queue.remove();
            final int worth = worth(best.at);
            if (queue.isEmpty() || worth >= queue.element().worth) {
                takeWords(best.at);
                return best.at;
            }
            queue.add(new Piece(best.at, worth));
        }
    }

    private int worth(int from) {
        seers++;
        int worth = 0;
        for (int at = from; at <= from + pieceBytes - Long.BYTES; at++) {
            final int word = word(candidates, at);
            if (seenBy[word] != seers) {
                worth += shared[word];
                seenBy[word] = seers;
            }
        }
        return worth;
    }

    private void takeWords(int from) {
        for (int at = from; at <= from + pieceBytes - Long.BYTES; at++) {
            shared[word(candidates, at)] = 0;
        }
    }

    private static int word(byte[] bytes, int at) {
        return (int) (((long) LONGS.get(bytes, at) << WORD_SHIFT) * HASH_MULTIPLIER >>> Long.SIZE - HASH_BITS);
    }
}
