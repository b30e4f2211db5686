package org.kvmdb.cache;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * Write scopes and write pins of one region: both keep a freeze out. Scopes belong to threads, pins do not.
 *
 * <p>Threads nest scopes of several regions in whatever order, and a freeze takes several regions at once. So whoever
 * freezes first only lets no <em>outermost</em> scope begin any more (PENDING): threads that are in a scope go on, also
 * into regions that are pending, and come out. When all regions are empty at the same time they are closed to all
 * (EXCLUSIVE). Nobody holds one region while he waits for another, so nobody waits in a circle.
 *
 * <pre>
 *   31          30        29                      0
 *  +-----------+---------+-------------------------+
 *  | EXCLUSIVE | PENDING | scopes that are open    |      the state of a region
 *  +-----------+---------+-------------------------+
 * </pre>
 *
 * <p>A committer waits for scopes to end, so a thread that commits inside a scope of its own would wait for itself: the
 * depth of the thread, over all regions of the store, is checked first.
 */
final class Scopes {

    private static final int EXCLUSIVE = 1 << 31;
    private static final int PENDING = 1 << 30;
    private static final long WRITE_PIN_WAIT_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** How often a freeze that waits looks whether the threads that it waits for are alive. */
    private static final long ALIVE_LOOK_MILLIS = 500;

    /** Takes no memory: the end of a scope must not fail for lack of it. */
    private static final BiFunction<Thread, Integer, Integer> ONE_LESS = (thread, count) -> count == 1 ? null : count - 1;

    private final AtomicInteger state = new AtomicInteger();
    private final AtomicInteger writePins = new AtomicInteger();
    /** Threads that have scopes open, or wait for one, and how many each. */
    private final Map<Thread, Integer> inside = new ConcurrentHashMap<>();

    private final Gate gate;

    Scopes(Gate gate) {
        this.gate = gate;
    }

    /** What the regions of a store share: how many scopes the current thread holds, and where to wait. */
    static final class Gate {
        private final ThreadLocal<int[]> depth = ThreadLocal.withInitial(() -> new int[1]);

        /** The thread that calls a front end's log now; only one commits at a time. */
        private volatile Thread callingBack;

        /** Whether the current thread has a scope open. */
        boolean isInside() {
            return depth.get()[0] > 0;
        }

        /** Throws when the current thread would wait for itself. */
        void checkOutside(String what) {
            if (depth.get()[0] > 0) {
                throw new StorageException(
                        ErrorCode.BUSY, what + " inside a write scope of the same thread: close the scope first");
            }
            if (callingBack == Thread.currentThread()) {
                throw new StorageException(
                        ErrorCode.BUSY,
                        what + " inside a callback of the write-ahead log, which a commit waits for: return from it first");
            }
        }

        /** Runs what calls back a front end's log. Under the write-back lock. */
        void callingBack(Runnable action) {
            callingBack = Thread.currentThread();
            try {
                action.run();
            } finally {
                callingBack = null;
            }
        }

        private synchronized void changed() {
            notifyAll();
        }

        /** Waits uninterruptibly; the flag is set again afterwards. */
        private synchronized void await(BooleanSupplier condition) {
            boolean interrupted = false;
            while (!condition.getAsBoolean()) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        /** Waits, uninterruptibly too, until no scope of a region is open; false when a thread has ended without closing one. */
        private synchronized boolean awaitEmpty(Scopes scopes) {
            boolean interrupted = false;
            try {
                while (scopes.state.get() != PENDING) {
                    if (scopes.abandonedBy() != null) {
                        return false;
                    }
                    try {
                        wait(ALIVE_LOOK_MILLIS);
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
                return true;
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        private synchronized boolean await(BooleanSupplier condition, long deadlineNanos) throws InterruptedException {
            while (!condition.getAsBoolean()) {
                final long left = deadlineNanos - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                TimeUnit.NANOSECONDS.timedWait(this, Math.max(left, TimeUnit.MILLISECONDS.toNanos(1)));
            }
            return true;
        }
    }

    // ---- scopes and pins ----

    void enter() {
        final int[] depth = gate.depth.get();
        inside.merge(Thread.currentThread(), 1, Integer::sum);
        try {
            enterWhenOpen(depth);
        } catch (RuntimeException | Error e) {
            inside.computeIfPresent(Thread.currentThread(), ONE_LESS);
            throw e;
        }
    }

    private void enterWhenOpen(int[] depth) {
        final int closed = depth[0] > 0 ? EXCLUSIVE : EXCLUSIVE | PENDING;
        while (true) {
            final int seen = state.get();
            if ((seen & closed) != 0) {
                gate.await(() -> (state.get() & closed) == 0);
            } else if (state.compareAndSet(seen, seen + 1)) {
                depth[0]++;
                return;
            }
        }
    }

    void leave() {
        final int[] depth = gate.depth.get();
        if (depth[0] == 0) {
            throw new IllegalStateException("a write scope belongs to the thread that opened it");
        }
        depth[0]--;
        inside.computeIfPresent(Thread.currentThread(), ONE_LESS);
        if (state.decrementAndGet() == PENDING) {
            gate.changed();
        }
    }

    /** Registers a write pin; waits for a freeze under way. */
    void addWritePin() {
        enter();
        writePins.incrementAndGet();
        leave();
    }

    void removeWritePin() {
        writePins.decrementAndGet();
        gate.changed();
    }

    // ---- freezes: one at a time, under the write-back lock ----

    /** A thread that has ended without closing its scope, or null. */
    private Thread abandonedBy() {
        for (Thread thread : inside.keySet()) {
            if (!thread.isAlive()) {
                return thread;
            }
        }
        return null;
    }

    /** Throws when a freeze would wait for ever. */
    void checkNotAbandoned() {
        final Thread thread = abandonedBy();
        if (thread != null) {
            throw new StorageException(
                    ErrorCode.BUSY,
                    "a write scope of the volume was left open by thread '%s', which has ended; close the store and open it again"
                            .formatted(thread.getName()));
        }
    }

    /** Waits until no write pin is open; gives up when one lasts too long. Scopes come and go meanwhile. */
    void awaitNoWritePins() {
        try {
            if (!gate.await(() -> writePins.get() == 0, System.nanoTime() + WRITE_PIN_WAIT_NANOS)) {
                throw new StorageException(
                        ErrorCode.BUSY, "%d write pins of the volume are still open: close them".formatted(writePins.get()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StorageException(ErrorCode.BUSY, "interrupted while waiting for write pins", e);
        }
    }

    /**
     * Keeps scopes and write pins out of all these regions, until {@link #unlock}. False, with none locked, when a write pin
     * was opened meanwhile, or a thread ended within a scope: look at both and come again.
     */
    static boolean tryLock(Gate gate, List<Scopes> all) {
        int pending = 0;
        boolean isLocked = false;
        try {
            for (; pending < all.size(); pending++) {
                all.get(pending).state.getAndAdd(PENDING);
            }
            while (!tryClose(gate, all)) {
                for (int i = 0; i < all.size(); i++) {
                    if (!gate.awaitEmpty(all.get(i))) {
                        return false;
                    }
                }
            }
            isLocked = hasNoWritePin(all);
            return isLocked;
        } finally {
            if (!isLocked) { // an error, too: there may be no memory to wait with
                open(gate, all, pending);
            }
        }
    }

    private static boolean hasNoWritePin(List<Scopes> all) {
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i).writePins.get() > 0) {
                return false;
            }
        }
        return true;
    }

    /** Closes all regions, or none when a thread that is in a scope went into one of them meanwhile. */
    private static boolean tryClose(Gate gate, List<Scopes> all) {
        for (int i = 0; i < all.size(); i++) {
            if (!all.get(i).state.compareAndSet(PENDING, PENDING | EXCLUSIVE)) {
                for (int j = 0; j < i; j++) {
                    all.get(j).state.set(PENDING);
                }
                gate.changed();
                return false;
            }
        }
        return true;
    }

    /** Undoes {@link #tryLock}, and takes no memory for that. */
    static void unlock(Gate gate, List<Scopes> all) {
        open(gate, all, all.size());
    }

    /** Opens the first so many regions. Nobody else changes these two bits. */
    private static void open(Gate gate, List<Scopes> all, int count) {
        for (int i = 0; i < count; i++) {
            final AtomicInteger state = all.get(i).state;
            state.getAndAdd(-(state.get() & (EXCLUSIVE | PENDING)));
        }
        gate.changed();
    }
}
