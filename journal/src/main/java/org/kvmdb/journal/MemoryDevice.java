package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import org.kvmdb.ffi.NativeFile;

/** A device in memory, for stores that need not survive the process and for tests. */
public final class MemoryDevice extends NativeFileDevice {

    public MemoryDevice(String name) {
        super(NativeFile.inMemory(name));
    }

    @Override
    public long readDurable(long position, MemorySegment buffer) {
        return file.read(position, buffer);
    }

    @Override
    public void writeBack(long position, long lengthBytes) {}

    @Override
    public void flush() {
        file.sizeBytes(); // nothing to wait for; but a closed device must fail like any other
    }

    /** Sets the length, as a disk that was cut off or replaced would; the rest reads as before or as zeros. */
    public void truncate(long lengthBytes) {
        file.truncate(lengthBytes);
    }

    @Override
    public boolean isReadOnly() {
        return false;
    }
}
