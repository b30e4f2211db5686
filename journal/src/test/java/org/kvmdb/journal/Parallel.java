package org.kvmdb.journal;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;

/** Runs parts of a campaign at a time. */
final class Parallel {

    private Parallel() {}

    /** Runs a part on each of so many threads, and throws what one of them threw. */
    static void run(int threads, IntConsumer part) {
        final List<Future<?>> parts = new ArrayList<>();
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            for (int i = 0; i < threads; i++) {
                final int number = i;
                parts.add(executor.submit(() -> part.accept(number)));
            }
        }
        for (Future<?> one : parts) {
            try {
                one.get();
            } catch (ExecutionException e) {
                throw new IllegalStateException("a part of the campaign ended", e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
        }
    }
}
