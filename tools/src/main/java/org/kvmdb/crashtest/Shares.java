package org.kvmdb.crashtest;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Work in as many equal shares as threads. */
final class Shares {

    /** One of them, numbered from 0. */
    interface Share {
        void run(int share) throws Exception;
    }

    private Shares() {}

    static void run(int threads, Share work) throws InterruptedException {
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Callable<Void>> shares = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                int share = thread;
                shares.add(() -> {
                    work.run(share);
                    return null;
                });
            }
            for (Future<Void> share : executor.invokeAll(shares)) {
                share.get();
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("the crash test itself failed: " + e.getCause(), e.getCause());
        }
    }
}
