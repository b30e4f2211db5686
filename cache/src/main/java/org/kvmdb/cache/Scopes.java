package org.kvmdb.cache;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * Write scopes and write pins of one region: both keep a freeze out. Scopes belong to threads, pins do not.
 *
 * <p>A committer waits for scopes to end, so a thread that commits inside a scope of its own would wait for itself: the
 * {@link Depth} of the thread, over all regions of the store, is checked first.
 */
final class Scopes {

    private static final long WRITE_PIN_WAIT_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** How many write scopes of a store the current thread holds. */
    static final class Depth {
        private final ThreadLocal<int[]> depth = ThreadLocal.withInitial(() -> new int[1]);

        void checkOutside(String what) {
            if (depth.get()[0] > 0) {
                throw new StorageException(
                        ErrorCode.BUSY, what + " inside a write scope of the same thread: close the scope first");
            }
        }
    }

    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final Depth depth;
    private final Object pinMonitor = new Object();
    private int writePins;

    Scopes(Depth depth) {
        this.depth = depth;
    }

    void enter() {
        lock.readLock().lock();
        depth.depth.get()[0]++;
    }

    void leave() {
        lock.readLock().unlock();
        depth.depth.get()[0]--;
    }

    /** Registers a write pin; waits for a freeze under way. */
    void addWritePin() {
        lock.readLock().lock();
        try {
            synchronized (pinMonitor) {
                writePins++;
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    void removeWritePin() {
        synchronized (pinMonitor) {
            writePins--;
            pinMonitor.notifyAll();
        }
    }

    /** Keeps scopes and write pins out until {@link #unlockExclusive}; gives up when a write pin lasts too long. */
    void lockExclusive() {
        final long deadline = System.nanoTime() + WRITE_PIN_WAIT_NANOS;
        lock.writeLock().lock();
        while (hasWritePins()) {
            // Scopes may come and go while we wait, so that whoever holds the pin can finish his work.
            lock.writeLock().unlock();
            awaitNoWritePins(deadline);
            lock.writeLock().lock();
        }
    }

    void unlockExclusive() {
        lock.writeLock().unlock();
    }

    private boolean hasWritePins() {
        synchronized (pinMonitor) {
            return writePins > 0;
        }
    }

    private void awaitNoWritePins(long deadline) {
        synchronized (pinMonitor) {
            while (writePins > 0) {
                final long leftMillis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (leftMillis <= 0) {
                    throw new StorageException(
                            ErrorCode.BUSY, "%d write pins of the volume are still open: close them".formatted(writePins));
                }
                try {
                    pinMonitor.wait(leftMillis);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new StorageException(ErrorCode.BUSY, "interrupted while waiting for write pins", e);
                }
            }
        }
    }
}
