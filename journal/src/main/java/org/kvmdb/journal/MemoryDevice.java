package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import org.kvmdb.ffi.NativeFile;

/** A device in memory, for stores that need not survive the process and for tests. */
public final class MemoryDevice implements Device {

    private final NativeFile file;

    public MemoryDevice(String name) {
        file = NativeFile.inMemory(name);
    }

    @Override
    public int fd() {
        return file.fd();
    }

    @Override
    public long read(long position, MemorySegment buffer) {
        return file.read(position, buffer);
    }

    @Override
    public long readDurable(long position, MemorySegment buffer) {
        return file.read(position, buffer);
    }

    @Override
    public void write(long position, MemorySegment buffer) {
        file.write(position, buffer);
    }

    @Override
    public void writeBack(long position, long lengthBytes) {}

    @Override
    public void flush() {
        file.sizeBytes(); // nothing to wait for; but a closed device must fail like any other
    }

    @Override
    public void allocate(long position, long lengthBytes) {
        file.allocate(position, lengthBytes);
    }

    @Override
    public void discard(long position, long lengthBytes) {
        file.punchHole(position, lengthBytes);
    }

    @Override
    public long sizeBytes() {
        return file.sizeBytes();
    }

    /** Sets the length, as a disk that was cut off or replaced would; the rest reads as before or as zeros. */
    public void truncate(long lengthBytes) {
        file.truncate(lengthBytes);
    }

    @Override
    public long allocatedBytes() {
        return file.allocatedBytes();
    }

    @Override
    public boolean isReadOnly() {
        return false;
    }

    @Override
    public void close() {
        file.close();
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
