package org.kvmdb.cache;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/** A part of a call that another thread performs. */
record Pending(Future<?> future) {

    static final Pending NOTHING = new Pending(CompletableFuture.completedFuture(null));

    /** Waits for its end, and throws what it threw. The call is not cut short: who interrupted finds the flag afterwards. */
    void await() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    future.get();
                    return;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof StorageException failure) {
                throw failure;
            }
            if (e.getCause() instanceof Error failure) {
                throw failure;
            }
            throw new StorageException(ErrorCode.IO, "a thread of the cache failed: " + e.getCause(), e.getCause());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Waits for its end. */
    void awaitQuietly() {
        try {
            await();
        } catch (StorageException | Error e) {
            // The failure that matters is on its way already.
        }
    }
}
