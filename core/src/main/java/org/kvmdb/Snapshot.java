package org.kvmdb;

import java.io.IOException;
import java.io.OutputStream;
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
     * Writes the snapshot as a stream that {@link Store#receive} takes, compressed as it is stored; every block is
     * verified as it is read. Commits go on meanwhile. The output is neither flushed nor closed.
     *
     * @throws CorruptPageException when a page cannot be had; what was written until then is not received
     */
    default StreamSummary send(OutputStream output) throws IOException {
        return send(output, null, StreamProgress.NONE);
    }

    /**
     * Writes what differs from an older snapshot of this volume, or of one that it was cloned from. Who has that one
     * can receive it.
     *
     * @param from what the receiver has; null: nothing
     */
    default StreamSummary send(OutputStream output, Snapshot from) throws IOException {
        return send(output, from, StreamProgress.NONE);
    }

    StreamSummary send(OutputStream output, Snapshot from, StreamProgress progress) throws IOException;

    /**
     * Shows where another snapshot of the family (this volume, its clones, what it was cloned from) differs from this
     * one. Costs what differs, not what there is.
     */
    void diff(Snapshot newer, ChangeVisitor visitor);

    /** Shows where the last commit of a volume differs from this snapshot, or the commits made meanwhile. */
    void diff(Volume newer, ChangeVisitor visitor);

    /**
     * Unmaps the snapshot: memory that was handed out throws {@link IllegalStateException} from then on, and
     * {@link #memory()} maps it again. Does nothing when it is not mapped.
     *
     * @throws StoreBusyException when a native call is using the memory, or pages of it are pinned
     */
    void release();

    /**
     * Deletes the snapshot; durable when the call returns. What only it held is freed in the background.
     *
     * @throws StoreBusyException when it is mapped in this process or a clone of it exists; the message says which
     */
    void delete();
}
