package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;

/**
 * A file, a block device or memory that holds a store. A transfer is complete or throws a
 * {@link org.kvmdb.ffi.StorageException}. Thread-safe. The receiver of a device closes it.
 */
public interface Device extends AutoCloseable {

    /** The descriptor that the fault handler reads from. It belongs to this object. */
    int fd();

    /** Reads to the end of the buffer or of the device and returns the number of bytes read. */
    long read(long position, MemorySegment buffer);

    /**
     * Reads what is durable, past the operating system's cache, where the device can; position, length and address of
     * the buffer are multiples of 4 KiB.
     */
    long readDurable(long position, MemorySegment buffer);

    void write(long position, MemorySegment buffer);

    /** Starts to make a range durable and does not wait; a hint. */
    void writeBack(long position, long lengthBytes);

    /** Returns when all that was written before the call is durable. After a failure nothing is known: never retry. */
    void flush();

    /**
     * Has the disk grant the space of a range that lies within the device, so that writing it cannot fail for lack of
     * space; what it holds stays. Throws STORE_FULL when it will not.
     */
    void allocate(long position, long lengthBytes);

    /** Gives the space of a range back; it reads as zeros, or as what it held, afterwards. */
    void discard(long position, long lengthBytes);

    /** Length of the device, holes counted. */
    long sizeBytes();

    /** What the device takes of the disk or of memory; holes not counted. */
    long allocatedBytes();

    boolean isReadOnly();

    /**
     * Throws FAILED when what is written can no longer be found by the device's name, or was cut off: a device never gets shorter by
     * itself.
     *
     * @param lengthBytes how long it must be; it may be known to have been longer
     */
    default void checkInPlace(long lengthBytes) {}

    /** The device holds a store now. One that was created gets its name with that, durably, and not before. */
    default void publish() {}

    @Override
    void close();
}
