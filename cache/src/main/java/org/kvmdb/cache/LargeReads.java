package org.kvmdb.cache;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Divides large reads by a call into pieces for several threads, so that the device performs several reads at a time
 * and all processors decode. The caller copies the pieces to their destination, in order.
 */
final class LargeReads implements AutoCloseable {

    private static final int PIECE_BYTES = 256 << 10;

    /** More than processors, for those that wait for the device. */
    private static final int THREADS = Math.clamp(2L * Runtime.getRuntime().availableProcessors(), 2, 8);

    /** So that threads have work while the caller copies. */
    private static final int PIECES_MAX = 2 * THREADS;

    /** What the pieces may take of the budget. */
    private static final int BUDGET_SHARE = 32;

    private final int pieces;
    private final ExecutorService threads =
            Executors.newFixedThreadPool(THREADS, Thread.ofPlatform().daemon().name("kvmdb-reader-", 0).factory());
    private final Arena arena = Arena.ofShared();
    private final Queue<MemorySegment> idle = new ConcurrentLinkedQueue<>();
    private final AtomicInteger made = new AtomicInteger();

    LargeReads(long budgetBytes) {
        pieces = (int) Math.min(budgetBytes / BUDGET_SHARE / PIECE_BYTES, PIECES_MAX);
    }

    /** What the pieces take of the store's memory budget. */
    long memoryBytes() {
        return (long) pieces * PIECE_BYTES;
    }

    /** Whether it is worth more than one thread. */
    boolean isLarge(long lengthBytes) {
        return pieces > 1 && lengthBytes >= 2 * PIECE_BYTES;
    }

    private record Piece(MemorySegment memory, long offset, long lengthBytes, Pending pending) {}

    /** Copies out of a region what {@link #isLarge} says, as a call of the stream. */
    void read(Region region, long offset, MemorySegment destination, ReadStreams.Stream stream) {
        final Deque<Piece> inFlight = new ArrayDeque<>(PIECES_MAX);
        final long length = destination.byteSize();
        try {
            for (long done = 0, begun = 0; done < length; ) {
                begun = begin(region, offset, begun, length, inFlight);
                stream.reach(offset + begun);
                if (inFlight.isEmpty()) { // all are in use by others
                    final long alone = Math.min(PIECE_BYTES, length - done);
                    region.copies().readAlone(offset + done, destination.asSlice(done, alone), stream);
                    done += alone;
                    begun = done;
                } else {
                    final Piece oldest = inFlight.peek();
                    oldest.pending.await();
                    MemorySegment.copy(oldest.memory, 0, destination, oldest.offset, oldest.lengthBytes);
                    done += oldest.lengthBytes;
                    idle.add(inFlight.remove().memory);
                }
            }
        } finally {
            // No thread may be left writing into a piece that is used again.
            for (Piece piece : inFlight) {
                piece.pending.awaitQuietly();
                idle.add(piece.memory);
            }
        }
    }

    /** Begins as many pieces as there is memory for. Returns where the next one will begin. */
    private long begin(Region region, long offset, long from, long length, Deque<Piece> inFlight) {
        long at = from;
        while (at < length && inFlight.size() < pieces) {
            final MemorySegment memory = take();
            if (memory == null) {
                break;
            }
            final long start = at;
            final long bytes = Math.min(PIECE_BYTES - (offset + start) % PIECE_BYTES, length - start);
            inFlight.add(new Piece(memory, start, bytes, submit(region, offset + start, bytes, memory)));
            at += bytes;
        }
        return at;
    }

    private Pending submit(Region region, long offset, long lengthBytes, MemorySegment memory) {
        try {
            return new Pending(threads.submit(() -> region.readPiece(offset, lengthBytes, memory)));
        } catch (RuntimeException | Error e) { // no thread for it
            idle.add(memory);
            throw e;
        }
    }

    /** Memory for a piece; null when all of it is in use. */
    private MemorySegment take() {
        final MemorySegment kept = idle.poll();
        if (kept != null || made.getAndUpdate(n -> Math.min(n + 1, pieces)) == pieces) {
            return kept;
        }
        return arena.allocate(PIECE_BYTES, Long.BYTES);
    }

    @Override
    public void close() {
        threads.shutdownNow();
        threads.close();
        arena.close();
    }
}
