package org.kvmdb;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * Counts the calls in progress in a store. Closing the store waits for them, because native code must not be called
 * once its structures are freed. Thread-safe.
 */
final class CallGate {

    private static final int CLOSING = 1 << 31;

    private final Path directory;
    /** Calls in progress; the sign bit is set once no more may begin. */
    private final AtomicInteger calls = new AtomicInteger();

    CallGate(Path directory) {
        this.directory = directory;
    }

    /** Begins a call; {@link #leave} ends it. Throws CLOSED when no more may begin. */
    void enter() {
        if (calls.incrementAndGet() < 0) {
            leave();
            throw closedException();
        }
    }

    void leave() {
        if (calls.decrementAndGet() == CLOSING) {
            synchronized (calls) {
                calls.notifyAll();
            }
        }
    }

    /** Throws when the store is closing, so that the calling operation, which close waits for, can end early. */
    void checkNotClosing() {
        if (calls.get() < 0) {
            throw closedException();
        }
    }

    private StorageException closedException() {
        return new StorageException(ErrorCode.CLOSED, "store %s is closed".formatted(directory));
    }

    /** Refuses new calls and waits for those in progress. */
    void close() {
        calls.getAndUpdate(n -> n | CLOSING);
        boolean interrupted = false;
        synchronized (calls) {
            while (calls.get() != CLOSING) {
                try {
                    calls.wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Admits calls again after the store could not be closed. */
    void reopen() {
        calls.getAndUpdate(n -> n & ~CLOSING);
    }
}
