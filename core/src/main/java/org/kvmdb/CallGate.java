package org.kvmdb;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * The calls that are under way in a store, and its end, which waits for them: native code below must not be called any more
 * when its structures go. Thread-safe.
 */
final class CallGate {

    private static final int CLOSING = 1 << 31;

    private final Path directory;
    /** Calls under way; the sign bit is set when no more may begin. */
    private final AtomicInteger calls = new AtomicInteger();

    CallGate(Path directory) {
        this.directory = directory;
    }

    /** Begins a call, which {@link #leave} ends; throws CLOSED when no more may begin. */
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

    /** Throws when the store is being closed, which waits for the call that asks. */
    void checkNotClosing() {
        if (calls.get() < 0) {
            throw closedException();
        }
    }

    private StorageException closedException() {
        return new StorageException(ErrorCode.CLOSED, "store %s is closed".formatted(directory));
    }

    /** Refuses new calls and waits for the others. */
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

    /** Lets calls in again, when the store cannot be closed after all. */
    void reopen() {
        calls.getAndUpdate(n -> n & ~CLOSING);
    }
}
