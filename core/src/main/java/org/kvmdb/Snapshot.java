package org.kvmdb;

import java.lang.foreign.MemorySegment;
import java.time.Instant;

/**
 * What a volume held at one moment, for ever: whatever happens to the volume, to its clones or to other snapshots. It
 * shares the blocks that have not changed since, so it costs nothing to take and as much as has changed to keep.
 * Thread-safe.
 */
public interface Snapshot {

    /** Its name within the volume. */
    String name();

    /** {@code volume@name}. */
    String fullName();

    String volumeName();

    /** Size of the volume when it was taken. */
    long sizeBytes();

    int pageSizeBytes();

    /** When it was taken. */
    Instant created();

    /** The LSN that its pages stand at; 0 when none was ever given. */
    long committedLsn();

    /** Bytes of the blocks of its pages, those counted that it shares. */
    long referencedBytes();

    /**
     * The snapshot as memory, from any thread; it is mapped when this is first called. A write throws
     * {@link IllegalArgumentException}; one past the segment, through its address, is what a write to any read-only memory
     * is, and changes nothing. What {@link Volume#memory()} says of bad pages and of system calls is true of it, too.
     */
    MemorySegment memory();

    /** As {@link Volume#prefetch}. */
    void prefetch(long offset, long lengthBytes);

    /** As {@link Volume#load}. */
    void load(long offset, long lengthBytes);

    /** As {@link Volume#read}. */
    void read(long offset, MemorySegment destination);

    /** Keeps a range in memory until the pin is closed, as {@link Volume#pin} for reading. */
    Pin pin(long offset, long lengthBytes);

    /** As {@link Volume#readScope}. */
    Scope readScope();

    /** Pages of this snapshot that could not be had since it was mapped, and writes to it that were refused. */
    long badPageCount();

    /**
     * Makes a volume that holds what the snapshot holds, and may be written. It shares the snapshot's blocks, and the
     * snapshot cannot be deleted while the clone exists. Durable when the call returns.
     */
    Volume cloneAs(String volumeName);

    /**
     * Unmaps the snapshot: memory that was handed out throws {@link IllegalStateException} from then on, and
     * {@link #memory()} maps it again. Does nothing when it is not mapped.
     *
     * @throws StoreBusyException when a native call is using the memory
     */
    void release();

    /**
     * Deletes the snapshot; durable when the call returns. What only it held is freed in the background.
     *
     * @throws StoreBusyException when it is mapped in this process or a clone of it exists; the message says which
     */
    void delete();
}
