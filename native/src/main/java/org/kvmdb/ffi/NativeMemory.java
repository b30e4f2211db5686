package org.kvmdb.ffi;

import java.lang.foreign.MemorySegment;

/**
 * A sparse range of zero-filled memory, page-aligned, that costs nothing until it is touched. The owner closes it;
 * the segment must not be used after that.
 */
public final class NativeMemory implements AutoCloseable {

    private final MemorySegment segment;
    private boolean closed;

    private NativeMemory(MemorySegment segment) {
        this.segment = segment;
    }

    /** Reserves that many bytes of address space. */
    public static NativeMemory reserve(long lengthBytes) {
        final long address = ShimLibrary.shim().kvmdb_memory_reserve(lengthBytes);
        try {
            Errno.check(address, "reserve %d bytes of address space", lengthBytes);
            return new NativeMemory(MemorySegment.ofAddress(address).reinterpret(lengthBytes));
        } catch (Error e) {
            ShimLibrary.shim().kvmdb_memory_release(address, lengthBytes);
            throw e;
        }
    }

    /** What the shim has reserved for whatever purpose, and not released, in this process. */
    public static long reservedBytes() {
        return ShimLibrary.shim().kvmdb_memory_reserved();
    }

    public MemorySegment segment() {
        return segment;
    }

    public long address() {
        return segment.address();
    }

    public long lengthBytes() {
        return segment.byteSize();
    }

    /** Gives the memory of a page-aligned range back; it reads as zeros afterwards. */
    public void discard(long offset, long lengthBytes) {
        Errno.check(
                ShimLibrary.shim().kvmdb_memory_discard(address() + offset, lengthBytes),
                "discard %d bytes of memory",
                lengthBytes);
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Errno.check(
                    ShimLibrary.shim().kvmdb_memory_release(address(), lengthBytes()),
                    "release %d bytes of address space",
                    lengthBytes());
        }
    }
}
