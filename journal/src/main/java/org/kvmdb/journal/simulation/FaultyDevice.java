package org.kvmdb.journal.simulation;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.Device;

/**
 * A device that fails on purpose.
 *
 * <p><b>Fault model.</b> Operations of the chosen kind are counted, from 0; operation {@code n} fails in the way that
 * {@link Fault} says, and with {@code persistent} every later one too. What a persistently <em>wrong read</em> (STALE,
 * MISDIRECTED, FLIP) returns is wrong of that place alone: every later read of it returns the same, until it is written
 * again. What a failed flush should have made durable stays readable, as in the cache of a system whose disk failed.
 *
 * <p>What is left to chance (which bit, which victim) follows from the seed.
 *
 * <p>As thread-safe as what is beneath: the history that LYING, STALE and MISDIRECTED need is for one thread.
 */
public final class FaultyDevice extends KeptDevice {

    private static final int SECTOR_BYTES = 512;
    private static final int UNIT_BYTES = 4096;

    /** What can fail. */
    public enum Operation {
        /** Of the durable content, too. */
        READ,
        WRITE,
        FLUSH,
        DISCARD,
        ALLOCATE
    }

    /** Bytes of a place that are not what was written there. */
    private record Wrong(long position, byte[] bytes) {
        boolean touches(long from, long lengthBytes) {
            return position < from + lengthBytes && position + bytes.length > from;
        }

        void show(long from, MemorySegment buffer, long count) {
            final long begin = Math.max(from, position);
            final long end = Math.min(from + count, position + bytes.length);
            if (begin < end) {
                MemorySegment.copy(
                        bytes, (int) (begin - position), buffer, ValueLayout.JAVA_BYTE, begin - from, (int) (end - begin));
            }
        }
    }

    private final Operation operation;
    private final Fault fault;
    private final boolean persistent;
    private final long seed;
    /** Null when the fault needs none. */
    private final HistoryDevice history;

    private final List<Wrong> wrong = new ArrayList<>();
    /** The place that is persistently wrong, or was until it was written again. */
    private Wrong everWrong;

    private Runnable onHit = () -> {};
    private long failAt;
    private final long[] counts = new long[Operation.values().length];
    private boolean hit;
    private boolean gone;
    private boolean lied;
    /** Of the history, at the last flush that did not lie. */
    private int honest;

    private boolean released;

    /** @param failAt the operation that fails, from 0; negative: none */
    public FaultyDevice(Device inner, Operation operation, Fault fault, long failAt, boolean persistent) {
        this(inner, operation, fault, failAt, persistent, 0);
    }

    /** @param seed of what is left to chance */
    public FaultyDevice(
            Device inner, Operation operation, Fault fault, long failAt, boolean persistent, long seed) {
        super(historyOf(inner, fault));
        if (!fault.appliesTo(operation)) {
            throw new IllegalArgumentException("%s does not befall %s".formatted(fault, operation));
        }
        this.operation = operation;
        this.fault = fault;
        this.failAt = failAt;
        this.persistent = persistent;
        this.seed = seed;
        history = medium() instanceof HistoryDevice found ? found : null;
        honest = history == null ? 0 : history.mark();
    }

    /** Without a fault. */
    public FaultyDevice(Device inner) {
        this(inner, Operation.WRITE, Fault.EIO, -1, false);
    }

    private static Device historyOf(Device inner, Fault fault) {
        final boolean isNeeded = fault == Fault.LYING || fault == Fault.STALE || fault == Fault.MISDIRECTED;
        return isNeeded && !(inner instanceof HistoryDevice) ? new HistoryDevice(inner) : inner;
    }

    /** Whether the fault was reached: when it was not, the body passes clean, and all were tried. */
    public synchronized boolean wasHit() {
        return hit;
    }

    /** How many operations of a kind there were. */
    public synchronized long count(Operation kind) {
        return counts[kind.ordinal()];
    }

    /** Shows an image of the device what reads of a persistently wrong place returned. */
    public synchronized void showWrong(MemorySegment image) {
        if (everWrong != null) {
            everWrong.show(0, image, image.byteSize());
        }
    }

    /** Runs something when the fault is reached for the first time, before it takes effect. */
    public void onHit(Runnable action) {
        onHit = action;
    }

    /** Counts from here on, and has that operation fail. */
    public synchronized void failAt(long n) {
        Arrays.fill(counts, 0);
        failAt = n;
    }

    /** The disk works again; what a lying flush did not make durable is gone. */
    public synchronized void heal() {
        failAt = -1;
        gone = false;
        wrong.clear();
        release();
        if (lied) {
            lied = false;
            final SplittableRandom random = random(0);
            final boolean isAllLost = random.nextBoolean();
            history.lose(honest, i -> !isAllLost && random.nextBoolean());
        }
    }

    /** Lets an operation that hangs go on. */
    public synchronized void release() {
        released = true;
        notifyAll();
    }

    private void awaitRelease() {
        try {
            while (!released) {
                wait();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StorageException(ErrorCode.IO, "interrupted in an operation that hangs");
        }
    }

    // ---- what fails ----

    private synchronized boolean fails(Operation kind) {
        if (gone) {
            throw exception(kind);
        }
        final long n = counts[kind.ordinal()]++;
        if (kind != operation || failAt < 0) {
            return false;
        }
        final boolean fails = n == failAt || persistent && n > failAt;
        if (fails && !hit) {
            hit = true;
            onHit.run();
        }
        return fails && !isDelayed() && !vanishes(kind);
    }

    private boolean vanishes(Operation kind) {
        if (fault == Fault.VANISH) {
            gone = true;
            throw exception(kind);
        }
        return false;
    }

    /** Waits, when that is all that is wrong. */
    private boolean isDelayed() {
        if (fault == Fault.SLOW) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            return true;
        }
        if (fault == Fault.HANG) {
            awaitRelease();
            return true;
        }
        return false;
    }

    private StorageException exception(Operation kind) {
        return new StorageException(
                fault == Fault.ENOSPC ? ErrorCode.STORE_FULL : ErrorCode.IO, "injected: %s %s".formatted(kind, fault));
    }

    private SplittableRandom random(long n) {
        return new SplittableRandom(CampaignTally.mix(seed) + n);
    }

    // ---- read ----

    @Override
    public long read(long position, MemorySegment buffer) {
        return fails(Operation.READ) ? failedRead(position, buffer) : shown(position, buffer, super.read(position, buffer));
    }

    @Override
    public long readDurable(long position, MemorySegment buffer) {
        return fails(Operation.READ)
                ? failedRead(position, buffer)
                : shown(position, buffer, super.readDurable(position, buffer));
    }

    private synchronized long shown(long position, MemorySegment buffer, long length) {
        for (Wrong place : wrong) {
            place.show(position, buffer, length);
        }
        return length;
    }

    private synchronized long failedRead(long position, MemorySegment buffer) {
        switch (fault) {
            case SHORT -> {
                return super.read(position, buffer.asSlice(0, buffer.byteSize() / 2));
            }
            case FLIP, STALE, MISDIRECTED -> {
                final long length = super.read(position, buffer);
                final Wrong place = everWrong != null ? null : wrongAt(position, buffer, (int) length);
                if (place == null) {
                    return shown(position, buffer, length);
                }
                place.show(position, buffer, length);
                if (persistent) {
                    everWrong = place;
                    wrong.add(place);
                }
                return length;
            }
            default -> throw exception(Operation.READ);
        }
    }

    /** What the read that failed shows; null when nothing else is to be had for it. */
    private Wrong wrongAt(long position, MemorySegment buffer, int length) {
        if (length == 0) {
            return null;
        }
        final SplittableRandom random = random(1);
        switch (fault) {
            case FLIP -> {
                final int at = random.nextInt(length);
                return new Wrong(position + at, new byte[] {
                    (byte) (buffer.get(ValueLayout.JAVA_BYTE, at) ^ 1 << random.nextInt(8))
                });
            }
            case STALE -> {
                final byte[] older = history.olderBytesAt(position, length);
                return older == null ? null : new Wrong(position, older);
            }
            default -> {
                final long from = elsewhere(random, position) + position % UNIT_BYTES;
                return new Wrong(position, history.bytesAt(from, length));
            }
        }
    }

    /** A multiple of 4 KiB that was written to, and is not the one of the position given. */
    private long elsewhere(SplittableRandom random, long position) {
        final long here = position - position % UNIT_BYTES;
        final List<HistoryDevice.Change> changes = history.changes();
        for (int i = 0; i < 8 && !changes.isEmpty(); i++) {
            final HistoryDevice.Change change = changes.get(random.nextInt(changes.size()));
            final long there = change.position() - change.position() % UNIT_BYTES;
            if (there != here) {
                return there;
            }
        }
        return here == 0 ? UNIT_BYTES : here - UNIT_BYTES;
    }

    // ---- write, and the others ----

    @Override
    public void write(long position, MemorySegment buffer) {
        if (fails(Operation.WRITE)) {
            failedWrite(position, buffer);
        } else {
            forgetWrong(position, buffer.byteSize());
            super.write(position, buffer);
        }
    }

    private synchronized void forgetWrong(long position, long lengthBytes) {
        wrong.removeIf(place -> place.touches(position, lengthBytes));
    }

    private void failedWrite(long position, MemorySegment buffer) {
        switch (fault) {
            case LOST -> {}
            case MISDIRECTED -> super.write(victim(position, buffer.byteSize()), buffer);
            case SHORT -> {
                super.write(position, buffer.asSlice(0, buffer.byteSize() / 2));
                throw exception(Operation.WRITE);
            }
            case TORN -> {
                writeSomeSectors(position, buffer);
                throw exception(Operation.WRITE);
            }
            case EIO -> {
                if ((failAt & 1) != 0) {
                    super.write(position, buffer);
                }
                throw exception(Operation.WRITE);
            }
            default -> throw exception(Operation.WRITE);
        }
    }

    private long victim(long position, long lengthBytes) {
        final long there = elsewhere(random(count(Operation.WRITE)), position);
        return there + lengthBytes <= medium().sizeBytes() || there < position ? there : 0;
    }

    private void writeSomeSectors(long position, MemorySegment buffer) {
        final int sectors = (int) (buffer.byteSize() / SECTOR_BYTES);
        final BitSet there = new BitSet();
        random(count(Operation.WRITE)).ints(sectors / 2, 0, Math.max(1, sectors)).forEach(there::set);
        for (int i = there.nextSetBit(0); i >= 0; i = there.nextSetBit(i + 1)) {
            super.write(position + (long) i * SECTOR_BYTES, buffer.asSlice((long) i * SECTOR_BYTES, SECTOR_BYTES));
        }
    }

    @Override
    public void flush() {
        if (lied && !persistent) {
            gone = true; // the power fails before a flush that would not lie
        }
        if (!fails(Operation.FLUSH)) {
            super.flush();
            honest = history == null || lied ? honest : history.mark();
        } else if (fault == Fault.LYING) {
            lied = true;
        } else {
            throw exception(Operation.FLUSH);
        }
    }

    @Override
    public void allocate(long position, long lengthBytes) {
        if (fails(Operation.ALLOCATE)) {
            throw exception(Operation.ALLOCATE);
        }
        super.allocate(position, lengthBytes);
    }

    @Override
    public void discard(long position, long lengthBytes) {
        if (fails(Operation.DISCARD)) {
            throw exception(Operation.DISCARD);
        }
        super.discard(position, lengthBytes);
    }

    @Override
    public void close() {
        super.close();
        if (gone) {
            throw new StorageException(ErrorCode.IO, "injected: close of a device that is gone");
        }
    }
}
