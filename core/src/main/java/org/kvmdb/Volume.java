package org.kvmdb;

import java.lang.foreign.MemorySegment;

/** A volume: plain memory over a sparse space of logical pages. Thread-safe as memory is. */
public interface Volume {

    String name();

    long sizeBytes();

    /** 4096 to 65536, a power of two: what one fault reads and one block holds. */
    int pageSizeBytes();

    /**
     * The volume as memory, from any thread. Its length is the size at the time of the call: after {@link #resize} call
     * again; the address stays the same, and an older segment stays valid for the part that still exists.
     *
     * <p>What a bare access can promise: a page that cannot be had raises {@link InternalError}, which the JVM may deliver
     * late, after compiled code has gone on with a wrong value. Nothing computed from it can be committed. Code that acts
     * on what it read in other ways reads inside a {@link #readScope()} or calls {@link #load} first.
     *
     * <p>System calls do not raise page faults: {@link #pin} what is handed to the kernel.
     */
    MemorySegment memory();

    /** Commits this volume. See {@link Store#commit()}. */
    void commit();

    /** Drops what was written to this volume since its last commit. Waits for a commit in flight. */
    void rollback();

    /**
     * Changes the size, online; durable when the call returns. Bytes beyond a smaller size are gone, also those not
     * committed; growing again reads zeros. A size is rounded up to whole pages.
     *
     * @throws StoreBusyException when it grows beyond the address space reserved at open; reopen the store to go on
     */
    void resize(long sizeBytes);

    /** Asks for a range to be brought in; returns at once and reports no errors. */
    void prefetch(long offset, long lengthBytes);

    /**
     * Brings a range in and verifies it. Better than touching page by page when much is missing, and it does not
     * delay the JVM's safepoints.
     *
     * @throws CorruptPageException when a page of it cannot be had
     */
    void load(long offset, long lengthBytes);

    /**
     * Keeps a range in memory until the pin is closed, so that it can be handed to system calls. A commit waits for
     * write pins of its volumes.
     *
     * @throws StoreBusyException when more would be pinned than the cache can spare
     */
    Pin pin(long offset, long lengthBytes, PinMode mode);

    /** Copies out of the volume in pieces that neither delay safepoints nor yield a wrong byte. */
    void read(long offset, MemorySegment destination);

    /** Copies into the volume in pieces that do not delay safepoints. */
    void write(long offset, MemorySegment source);

    /**
     * A scope whose {@code close} throws when a page of this volume could not be had since it was opened: what was read
     * inside it is right if and only if it closes normally. Belongs to the thread that opened it.
     */
    Scope readScope();

    /**
     * A scope that no commit of another thread cuts through: what is written inside it is committed together. Shared
     * between writers, reentrant, cheap; commits wait for it, so keep it short. Its {@code close} throws as that of a
     * read scope does, and when the store was too full for a write. Belongs to the thread that opened it.
     */
    Scope writeScope();

    /**
     * Attaches the write-ahead log of a front end: each commit of this volume asks it for its LSN, has it made durable, and
     * carries it. Null detaches.
     */
    void writeAheadLog(WriteAheadLog log);

    /** The LSN that the committed pages stand at, also after recovery; 0 when none was ever given. */
    long committedLsn();

    /** Pages of this volume that could not be had, or written, since the store was opened. */
    long badPageCount();
}
