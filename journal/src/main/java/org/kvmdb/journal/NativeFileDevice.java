package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import org.kvmdb.ffi.NativeFile;

/** A device on one open file, on a disk or in memory. */
abstract sealed class NativeFileDevice implements Device permits FileDevice, MemoryDevice {

    final NativeFile file;

    NativeFileDevice(NativeFile file) {
        this.file = file;
    }

    @Override
    public final int fd() {
        return file.fd();
    }

    @Override
    public final long read(long position, MemorySegment buffer) {
        return file.read(position, buffer);
    }

    @Override
    public void write(long position, MemorySegment buffer) {
        file.write(position, buffer);
    }

    @Override
    public final void allocate(long position, long lengthBytes) {
        file.allocate(position, lengthBytes);
    }

    @Override
    public final void discard(long position, long lengthBytes) {
        file.punchHole(position, lengthBytes);
    }

    @Override
    public final long sizeBytes() {
        return file.sizeBytes();
    }

    @Override
    public final long allocatedBytes() {
        return file.allocatedBytes();
    }

    @Override
    public void close() {
        file.close();
    }

    @Override
    public final String toString() {
        return file.toString();
    }
}
