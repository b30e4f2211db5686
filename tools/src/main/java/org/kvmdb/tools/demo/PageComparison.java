package org.kvmdb.tools.demo;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongUnaryOperator;
import org.kvmdb.Scope;
import org.kvmdb.Volume;
import org.kvmdb.tools.PageOrder;

/**
 * Compares a volume with what it must hold, every byte of it, by touching the volume's memory: what is not resident
 * comes in through page faults.
 */
final class PageComparison {

    /** Long enough to cost nothing, short enough to notice a bad page soon. */
    private static final int PAGES_PER_SCOPE = 256;

    private final Volume volume;
    private final MemorySegment memory;
    private final MemorySegment expected;
    private final int pageSizeBytes;
    private final long pages;

    /** @param expected its length says how much is compared */
    PageComparison(Volume volume, MemorySegment expected) {
        this.volume = volume;
        this.memory = volume.memory();
        this.expected = expected;
        this.pageSizeBytes = volume.pageSizeBytes();
        this.pages = (expected.byteSize() + pageSizeBytes - 1) / pageSizeBytes;
    }

    long pages() {
        return pages;
    }

    /** From the first page to the last. */
    void inSequence() {
        compare(0, pages, LongUnaryOperator.identity());
    }

    /** In an order that no read-ahead can guess, each page once. */
    void inRandomOrder(int threads, long seed) throws InterruptedException {
        PageOrder order = new PageOrder(pages, seed);
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Future<?>> parts = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                long from = pages * thread / threads;
                long to = pages * (thread + 1) / threads;
                parts.add(executor.submit(() -> compare(from, to, order::page)));
            }
            for (Future<?> part : parts) {
                join(part);
            }
        }
    }

    private static void join(Future<?> part) throws InterruptedException {
        try {
            part.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                default -> throw new IllegalStateException(e.getCause());
            }
        }
    }

    /** Compares the pages at positions from to to of an order. */
    private void compare(long from, long to, LongUnaryOperator order) {
        for (long position = from; position < to; position += PAGES_PER_SCOPE) {
            long end = Math.min(position + PAGES_PER_SCOPE, to);
            long differing = -1;
            try (Scope _ = volume.readScope()) {
                for (long at = position; at < end && differing < 0; at++) {
                    differing = differing(order.applyAsLong(at));
                }
            }
            if (differing >= 0) {
                throw new ProofFailedException(describe(differing));
            }
        }
    }

    /** The first differing offset within the page, as an offset of the volume; -1 when it is as expected. */
    private long differing(long page) {
        long offset = page * pageSizeBytes;
        long end = Math.min(offset + pageSizeBytes, expected.byteSize());
        long mismatch = MemorySegment.mismatch(memory, offset, end, expected, offset, end);
        return mismatch < 0 ? -1 : offset + mismatch;
    }

    private String describe(long offset) {
        return "volume %s differs from what it must hold: lpn=%d offset=%d expected=0x%02x actual=0x%02x".formatted(
                volume.name(),
                offset / pageSizeBytes,
                offset % pageSizeBytes,
                expected.get(ValueLayout.JAVA_BYTE, offset),
                memory.get(ValueLayout.JAVA_BYTE, offset));
    }
}
