package org.kvmdb.journal.simulation;

import java.lang.foreign.MemorySegment;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.Device;

/**
 * A device that fails on purpose.
 *
 * <p><b>Fault model.</b> Operations of the chosen kinds are counted, from 0; operation {@code n} fails, and with
 * {@code persistent} every later one too. A failed <em>write</em> leaves nothing, a part (its first half) or all of its
 * bytes, and throws; so does a real one, whose error says nothing of what reached the medium. A failed <em>flush</em>
 * throws, and what it should have made durable stays readable, as in the cache of a system whose disk failed. A failed
 * <em>read</em> throws, or is <em>short</em>: returns half, as at the end of a device that was cut off. Nothing is failed
 * silently: lost, misdirected and torn writes are what {@link RecordingDevice} is for.
 */
public final class FaultyDevice extends KeptDevice {

    /** What can fail. */
    public enum Operation {
        READ,
        WRITE,
        FLUSH,
        DISCARD
    }

    /** How it fails. SHORT: half is transferred; of a read nothing is thrown. */
    public enum Fault {
        EIO,
        ENOSPC,
        SHORT
    }

    private final Operation operation;
    private final Fault fault;
    private final boolean persistent;
    private long failAt;
    private long count;
    private boolean hit;

    /** @param failAt the operation that fails, from 0; negative: none */
    public FaultyDevice(Device inner, Operation operation, Fault fault, long failAt, boolean persistent) {
        super(inner);
        this.operation = operation;
        this.fault = fault;
        this.failAt = failAt;
        this.persistent = persistent;
    }

    /** Without a fault. */
    public FaultyDevice(Device inner) {
        this(inner, Operation.WRITE, Fault.EIO, -1, false);
    }

    /** Whether the fault was reached: when it was not, the body passes clean, and all were tried. */
    public boolean wasHit() {
        return hit;
    }

    /** The disk works again. */
    public void heal() {
        failAt = -1;
    }

    private boolean fails(Operation kind) {
        if (kind != operation || failAt < 0) {
            return false;
        }
        final long n = count++;
        final boolean fails = n == failAt || persistent && n > failAt;
        hit |= fails;
        return fails;
    }

    private StorageException exception(Operation kind) {
        return new StorageException(
                fault == Fault.ENOSPC ? ErrorCode.STORE_FULL : ErrorCode.IO, "injected: %s %s".formatted(kind, fault));
    }

    @Override
    public long read(long position, MemorySegment buffer) {
        return fails(Operation.READ) ? failedRead(position, buffer) : super.read(position, buffer);
    }

    @Override
    public long readDurable(long position, MemorySegment buffer) {
        return fails(Operation.READ) ? failedRead(position, buffer) : super.readDurable(position, buffer);
    }

    private long failedRead(long position, MemorySegment buffer) {
        if (fault != Fault.SHORT) {
            throw exception(Operation.READ);
        }
        return super.read(position, buffer.asSlice(0, buffer.byteSize() / 2));
    }

    @Override
    public void write(long position, MemorySegment buffer) {
        if (!fails(Operation.WRITE)) {
            super.write(position, buffer);
            return;
        }
        if (fault == Fault.SHORT) {
            super.write(position, buffer.asSlice(0, buffer.byteSize() / 2));
        } else if (fault == Fault.EIO && (count & 1) == 0) {
            super.write(position, buffer);
        }
        throw exception(Operation.WRITE);
    }

    @Override
    public void flush() {
        if (fails(Operation.FLUSH)) {
            throw exception(Operation.FLUSH);
        }
        super.flush();
    }

    @Override
    public void discard(long position, long lengthBytes) {
        if (fails(Operation.DISCARD)) {
            throw exception(Operation.DISCARD);
        }
        super.discard(position, lengthBytes);
    }
}
