package org.kvmdb.tools.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class BufferPoolTest {

    private static final int FRAMES = 64;

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment frames = arena.allocate((long) FRAMES * PageSource.PAGE_BYTES, PageSource.PAGE_BYTES);
    private final AtomicLong reads = new AtomicLong();
    private final BufferPool pool = new BufferPool(frames, (page, memory, offset) -> {
        memory.set(ValueLayout.JAVA_LONG, offset, page);
        reads.incrementAndGet();
    });

    private void assertHolds(int frame, long page) {
        assertEquals(page, frames.get(ValueLayout.JAVA_LONG, pool.offsetOf(frame)));
    }

    @Test
    void shouldReadOnceWhenAPageStays() {
        int frame = pool.pin(7);
        pool.unpin(frame);
        assertEquals(frame, pool.pin(7));
        assertHolds(frame, 7);
        assertEquals(1, reads.get());
    }

    @Test
    void shouldKeepAPinnedPageWhenOthersPassThrough() {
        int kept = pool.pin(1000);
        for (long page = 0; page < 10 * FRAMES; page++) {
            int frame = pool.pin(page);
            assertHolds(frame, page);
            pool.unpin(frame);
        }
        assertHolds(kept, 1000);
    }

    @Test
    void shouldRefuseWhenAllArePinned() {
        for (long page = 0; page < FRAMES; page++) {
            pool.pin(page);
        }
        assertThrows(IllegalStateException.class, () -> pool.pin(FRAMES));
    }

    @Test
    void shouldNeverShowAnotherPageWhenThreadsShareIt() throws Exception {
        List<Future<Long>> wrong = new ArrayList<>();
        try (ExecutorService executor = Executors.newFixedThreadPool(4)) {
            for (int thread = 0; thread < 4; thread++) {
                SplittableRandom random = new SplittableRandom(thread);
                wrong.add(executor.submit(() -> {
                    long count = 0;
                    for (int i = 0; i < 50_000; i++) {
                        long page = random.nextLong(3 * FRAMES);
                        int frame = pool.pin(page);
                        if (frames.get(ValueLayout.JAVA_LONG, pool.offsetOf(frame)) != page) {
                            count++;
                        }
                        pool.unpin(frame);
                    }
                    return count;
                }));
            }
        }
        for (Future<Long> count : wrong) {
            assertEquals(0, count.get());
        }
        assertTrue(reads.get() > 3 * FRAMES);
    }
}
