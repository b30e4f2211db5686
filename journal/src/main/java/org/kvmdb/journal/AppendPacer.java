package org.kvmdb.journal;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Keeps commits from using free space faster than the cleaner gains it. While less is left than the cleaner's starting
 * level, each append wakes the cleaner and waits a little, in proportion to the bytes that the previous append wrote.
 * While less is left than commits may rely on, an append waits until there is more, until the cleaner reports that it
 * cannot help, or until a second has passed. It waits before it takes any lock of the journal. Thread-safe.
 */
public final class AppendPacer {

    private static final long WAIT_NANOS_MAX = 1_000_000_000L;
    private static final long PARK_NANOS = 200_000;

    private final AtomicLong owedNanos = new AtomicLong();
    private final AtomicLong waitedNanos = new AtomicLong();
    private final Latencies latencies;
    private volatile Runnable cleaner = () -> {};
    private volatile long spareBytes;
    private volatile long wakeBelowBytes;
    private volatile long waitBelowBytes;
    private volatile double nanosPerByte;

    AppendPacer(Latencies latencies) {
        this.latencies = latencies;
    }

    /** Sets who is woken when space gets short. */
    public void onShortage(Runnable wakeCleaner) {
        cleaner = wakeCleaner;
    }

    /** Bytes that commits may still take, as last counted: free and not promised, what the device may grow by included. */
    public long spareBytes() {
        return spareBytes;
    }

    void spareBytes(long bytes) {
        spareBytes = bytes;
    }

    /**
     * Sets when appends wait; all zeros: never.
     *
     * @param wakeBelow spare bytes below which the cleaner is woken, and a time is owed
     * @param waitBelow spare bytes below which appends wait for it
     * @param nanosForOneByte what is owed for a byte that is appended
     */
    public void pace(long wakeBelow, long waitBelow, double nanosForOneByte) {
        nanosPerByte = nanosForOneByte;
        wakeBelowBytes = wakeBelow;
        waitBelowBytes = waitBelow;
    }

    /** How long appends have waited, all of them together. */
    public long waitedNanos() {
        return waitedNanos.get();
    }

    void appended(long bytes) {
        final double pace = nanosPerByte;
        if (pace > 0) {
            owedNanos.addAndGet((long) (bytes * pace));
        }
    }

    void await() {
        if (spareBytes >= wakeBelowBytes) {
            owedNanos.set(0);
            return;
        }
        cleaner.run();
        final long owed = Math.min(owedNanos.getAndSet(0), WAIT_NANOS_MAX);
        final long begin = System.nanoTime();
        long waited = 0;
        while (waited < owed && spareBytes < wakeBelowBytes || waited < WAIT_NANOS_MAX && spareBytes < waitBelowBytes) {
            LockSupport.parkNanos(PARK_NANOS);
            waited = System.nanoTime() - begin;
        }
        waitedNanos.addAndGet(waited);
        latencies.record(Latencies.Kind.CLEANER_WAIT, begin);
    }
}
