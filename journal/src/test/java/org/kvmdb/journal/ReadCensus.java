package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/** A read-only view of a device that notes which sectors are looked at, and leaves the device open when it is closed. */
final class ReadCensus implements Device {

    private static final int SECTOR_BYTES = 512;

    private final Device device;
    private final BitSet sectors = new BitSet();

    ReadCensus(Device device) {
        this.device = device;
    }

    boolean wasRead(long position) {
        return sectors.get((int) (position / SECTOR_BYTES));
    }

    private void note(long position, long lengthBytes) {
        sectors.set((int) (position / SECTOR_BYTES), (int) ((position + lengthBytes - 1) / SECTOR_BYTES) + 1);
    }

    @Override
    public int fd() {
        return device.fd();
    }

    @Override
    public long read(long position, MemorySegment buffer) {
        note(position, buffer.byteSize());
        return device.read(position, buffer);
    }

    @Override
    public long readDurable(long position, MemorySegment buffer) {
        note(position, buffer.byteSize());
        return device.readDurable(position, buffer);
    }

    @Override
    public void write(long position, MemorySegment buffer) {
        throw new AssertionError("a read-only journal writes at " + position);
    }

    @Override
    public void writeBack(long position, long lengthBytes) {}

    @Override
    public void flush() {
        throw new AssertionError("a read-only journal flushes");
    }

    @Override
    public void allocate(long position, long lengthBytes) {
        throw new AssertionError("a read-only journal allocates");
    }

    @Override
    public void discard(long position, long lengthBytes) {
        throw new AssertionError("a read-only journal discards");
    }

    @Override
    public long sizeBytes() {
        return device.sizeBytes();
    }

    @Override
    public long allocatedBytes() {
        return device.allocatedBytes();
    }

    @Override
    public boolean isReadOnly() {
        return true;
    }

    @Override
    public void close() {}
}
