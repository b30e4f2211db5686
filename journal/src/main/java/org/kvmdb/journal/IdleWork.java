package org.kvmdb.journal;

import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.kvmdb.ffi.CompressionDictionary;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.SpaceAccount;
import org.kvmdb.ffi.StorageException;

/**
 * The work of a journal between appends, in small steps called by the maintenance of the store. Except for the
 * dictionary, a step that would have to wait for the append lock is skipped; another follows soon. Thread-safe.
 */
public final class IdleWork {

    private static final long IDLE_NANOS = 100_000_000L;

    /** Commits wait while it is looked whether the device is still there. */
    private static final long IN_PLACE_PERIOD_NANOS = 500_000_000L;

    private final ReentrantLock appendLock;
    private final boolean readOnly;
    private final Failure failure;
    private final Device device;
    private final SpaceAccount space;
    /** What the device was taken to be long when it was opened; its end may have been lost before. */
    private final long openedBytes;
    private final LogWriter log;
    private final SegmentPreparer preparer;
    private final StoreDictionary dictionary;
    private final DictionarySampler sampler;
    private volatile long lastAppendNanos = System.nanoTime();
    private volatile long inPlaceNanos = System.nanoTime();

    IdleWork(
            JournalParts parts, SpaceAccount space, ReentrantLock appendLock, SegmentPreparer preparer,
            DictionarySampler sampler, boolean readOnly) {
        this.appendLock = appendLock;
        this.readOnly = readOnly;
        this.failure = parts.failure();
        this.device = parts.device();
        this.space = space;
        openedBytes = space.grantedBytes();
        this.log = parts.log();
        this.preparer = preparer;
        this.dictionary = parts.dictionary();
        this.sampler = sampler;
    }

    void appended() {
        lastAppendNanos = System.nanoTime();
    }

    /** After a while without appends: says in the log how far it is durable, so that rot there is told from a torn tail. */
    public void sealIfIdle() {
        if (System.nanoTime() - lastAppendNanos < IDLE_NANOS || !appendLock.tryLock()) {
            return;
        }
        try {
            if (isWriting() && log.isSealNeeded()) {
                log.writeSeal(0);
            }
        } catch (StorageException e) {
            if (e.code() != ErrorCode.STORE_FULL) {
                throw e;
            }
            // Not worth the reserve: the next commit or the close says it.
        } finally {
            appendLock.unlock();
        }
    }

    /** Has a piece of the next segment written ahead; true when there may be more to write. */
    public boolean prepareNextSegment() {
        if (!appendLock.tryLock()) {
            return false;
        }
        try {
            if (!isWriting()) {
                return false;
            }
            log.reserveNext();
            return preparer.step();
        } finally {
            appendLock.unlock();
        }
    }

    /** Once enough pages were written: makes a dictionary of them, if that saves space. The next checkpoint, then due, adopts it. */
    public void makeDictionary() {
        if (!sampler.isReady() || !isWriting()) {
            return;
        }
        final DictionarySampler.Sample sample = underLock(sampler::take);
        final CompressionDictionary made = DictionarySampler.judge(sample);
        underLock(() -> {
            if (made == null) {
                sampler.retry();
            } else if (isWriting()) {
                dictionary.offer(made);
                sampler.stop();
            } else {
                made.close();
            }
            return null;
        });
    }

    private <T> T underLock(Supplier<T> action) {
        appendLock.lock();
        try {
            return action.get();
        } finally {
            appendLock.unlock();
        }
    }

    /**
     * Fails the journal when its device was deleted or cut off: commits would be lost without a word. To be called often; it looks now
     * and then.
     */
    public void checkInPlace() {
        final long now = System.nanoTime();
        if (now - inPlaceNanos < IN_PLACE_PERIOD_NANOS || !appendLock.tryLock()) {
            return;
        }
        try {
            inPlaceNanos = now;
            if (isWriting()) {
                // What it grew by is there before the account says so, in faults, too.
                final long granted = space.grantedBytes();
                device.checkInPlace(granted > openedBytes ? granted : 0);
            }
        } catch (StorageException e) {
            throw failure.fail(e);
        } finally {
            appendLock.unlock();
        }
    }

    /** Whether there is anything to do: not when closed, failed or read-only. */
    private boolean isWriting() {
        return !readOnly && !failure.isClosed() && !failure.isFailed();
    }
}
