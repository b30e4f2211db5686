package org.kvmdb;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.time.Instant;

/**
 * The content of a volume at one moment. It never changes, whatever happens to the volume, its clones or other
 * snapshots. A snapshot shares the blocks that have not changed since: taking one costs nothing, and keeping it costs
 * the blocks that have changed. Thread-safe.
 */
public interface Snapshot {

    /** Its name within the volume. */
    String name();

    /** {@code volume@name}. */
    String fullName();

    String volumeName();

    /** Size of the volume when the snapshot was taken. */
    long sizeBytes();

    int pageSizeBytes();

    /** When the snapshot was taken. */
    Instant created();

    /** The last LSN that a commit contained in this snapshot carried; 0 when none did. */
    long committedLsn();

    /** Bytes of the blocks of its pages, including blocks it shares. */
    long referencedBytes();

    /**
     * The snapshot as memory, for any thread. The first call maps it. A write through the segment throws
     * {@link IllegalArgumentException}. A write through its address, bypassing the segment, fails like a write to any
     * read-only memory and changes nothing. For bad pages and system calls see {@link Volume#memory()}.
     */
    MemorySegment memory();

    /** See {@link Volume#prefetch}. */
    void prefetch(long offset, long lengthBytes);

    /** See {@link Volume#load}. */
    void load(long offset, long lengthBytes);

    /** See {@link Volume#read}. */
    void read(long offset, MemorySegment destination);

    /** Keeps a range in memory until the pin is closed, as {@link Volume#pin} does for reading. */
    Pin pin(long offset, long lengthBytes);

    /** See {@link Volume#readScope}. */
    Scope readScope();

    /** Failures to read a page of this snapshot, and refused writes to it, since it was mapped. */
    long badPageCount();

    /**
     * Creates a writable volume with the content of this snapshot. The clone shares the snapshot's blocks, and the
     * snapshot cannot be deleted while the clone exists. Durable when the call returns.
     */
    Volume cloneAs(String volumeName);

    /**
     * Writes the snapshot as a stream for {@link Store#receive}. Pages are sent compressed, and each block is verified
     * as it is read. Commits continue meanwhile. The output is neither flushed nor closed.
     *
     * @throws CorruptPageException when a page is bad; the stream is then incomplete, and a receiver rejects it
     */
    default StreamSummary send(OutputStream output) throws IOException {
        return send(output, null, StreamProgress.NONE);
    }

    /**
     * Writes only the differences from an older snapshot, of this volume or of a volume it was cloned from. A store
     * that has the older snapshot can receive the stream.
     *
     * @param from the snapshot that the receiver has; null to send everything
     */
    default StreamSummary send(OutputStream output, Snapshot from) throws IOException {
        return send(output, from, StreamProgress.NONE);
    }

    /** Writes the differences from an older snapshot, or everything, and reports progress after each chunk. */
    StreamSummary send(OutputStream output, Snapshot from, StreamProgress progress) throws IOException;

    /**
     * Passes the visitor the ranges in which another snapshot differs from this one. Both must be of the same family: a
     * volume, its clones, and the volumes it was cloned from. The cost depends on the differences, not on the size.
     */
    void diff(Snapshot newer, ChangeVisitor visitor);

    /**
     * Passes the visitor the ranges in which the last committed state of a volume, or commits made meanwhile, differ.
     */
    void diff(Volume newer, ChangeVisitor visitor);

    /**
     * Unmaps the snapshot. Segments returned before throw {@link IllegalStateException} from then on; {@link #memory()}
     * maps the snapshot again. Does nothing when it is not mapped.
     *
     * @throws StoreBusyException when a native call is using the memory, or the snapshot has pinned pages
     */
    void release();

    /**
     * Deletes the snapshot; durable when the call returns. Blocks that only this snapshot held are freed in the
     * background.
     *
     * @throws StoreBusyException when the snapshot is mapped in this process or has a clone; the message says which
     */
    void delete();
}
