package org.kvmdb.journal.simulation;

import java.lang.foreign.MemorySegment;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.Device;

/**
 * A device that outlives the journals that own it, as a disk outlives processes: {@link #close} only takes it out of use
 * until {@link #reopen}; {@link #dispose} closes what is beneath. Use after close throws, and {@link #isClosed} lets a
 * test demand that whoever owned it gave it back.
 */
public class KeptDevice implements Device {

    private final Device inner;
    private boolean closed;

    public KeptDevice(Device inner) {
        this.inner = inner;
    }

    protected final Device inner() {
        if (closed) {
            throw new StorageException(ErrorCode.CLOSED, "device is closed");
        }
        return inner;
    }

    public final boolean isClosed() {
        return closed;
    }

    public final void reopen() {
        closed = false;
    }

    public final void dispose() {
        closed = true;
        inner.close();
    }

    /** What lies beneath, past faults and recording. */
    public final Device medium() {
        return inner;
    }

    @Override
    public int fd() {
        return inner().fd();
    }

    @Override
    public long read(long position, MemorySegment buffer) {
        return inner().read(position, buffer);
    }

    @Override
    public long readDurable(long position, MemorySegment buffer) {
        return inner().readDurable(position, buffer);
    }

    @Override
    public void write(long position, MemorySegment buffer) {
        inner().write(position, buffer);
    }

    @Override
    public void writeBack(long position, long lengthBytes) {
        inner().writeBack(position, lengthBytes);
    }

    @Override
    public void flush() {
        inner().flush();
    }

    @Override
    public void allocate(long position, long lengthBytes) {
        inner().allocate(position, lengthBytes);
    }

    @Override
    public void discard(long position, long lengthBytes) {
        inner().discard(position, lengthBytes);
    }

    @Override
    public long sizeBytes() {
        return inner().sizeBytes();
    }

    @Override
    public long allocatedBytes() {
        return inner().allocatedBytes();
    }

    @Override
    public boolean isReadOnly() {
        return inner().isReadOnly();
    }

    @Override
    public void publish() {
        inner().publish();
    }

    @Override
    public void close() {
        closed = true;
    }

    @Override
    public String toString() {
        return inner.toString();
    }
}
