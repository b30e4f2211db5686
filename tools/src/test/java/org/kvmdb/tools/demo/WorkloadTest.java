package org.kvmdb.tools.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class WorkloadTest {

    private static final int PAGE_BYTES = 4096;
    private static final int THREADS = 4;
    private static final long PAGES = 103;

    private final Workload workload = new Workload(1, THREADS, PAGES, PAGE_BYTES);

    @Test
    void shouldWriteTheSameWhenAppliedAgain() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment first = arena.allocate(PAGES * PAGE_BYTES, 8);
            MemorySegment second = arena.allocate(PAGES * PAGE_BYTES, 8);
            MemorySegment ledger = arena.allocate(workload.ledgerSizeBytes(), 8);
            MemorySegment scratch = arena.allocate(PAGE_BYTES, 8);
            for (int number = 1; number <= 300; number++) {
                long changed = workload.apply(1, number, first, ledger, scratch);
                assertTrue(changed > Long.BYTES);
                assertEquals(number, workload.ledgerNumber(ledger, 1));
                scratch.fill((byte) number);
                workload.apply(1, number, second, ledger, scratch);
            }
            assertEquals(-1, first.mismatch(second));
        }
    }

    @Test
    void shouldTouchOnlyItsOwnPagesWhenAThreadWrites() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment zeros = arena.allocate(PAGE_BYTES, 8);
            for (int thread = 0; thread < THREADS; thread++) {
                MemorySegment data = arena.allocate(PAGES * PAGE_BYTES, 8);
                MemorySegment ledger = arena.allocate(workload.ledgerSizeBytes(), 8);
                for (int number = 1; number <= 500; number++) {
                    workload.apply(thread, number, data, ledger, arena.allocate(PAGE_BYTES, 8));
                }
                for (long page = 0; page < PAGES; page++) {
                    boolean touched = data.asSlice(page * PAGE_BYTES, PAGE_BYTES).mismatch(zeros) >= 0;
                    assertEquals(page % THREADS == thread, touched, "page " + page + " thread " + thread);
                }
            }
        }
    }
}
