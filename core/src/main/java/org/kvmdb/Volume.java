package org.kvmdb;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A volume: plain memory over a sparse space of logical pages. The methods are thread-safe; access to the memory needs
 * the same synchronization as any other memory.
 */
public interface Volume {

    String name();

    long sizeBytes();

    /** A power of two from 4096 to 65536. One fault reads one page, and one block holds one page. */
    int pageSizeBytes();

    /**
     * The volume as memory, for any thread. The length is the volume's size at the time of the call; call again after
     * {@link #resize}. The address stays the same, and an older segment stays valid for the part that still exists.
     *
     * <p>A bad page raises {@link InternalError}. The JVM may deliver this error late, after compiled code has
     * continued with a wrong value. The store never commits anything computed from such a value. Code that has other
     * effects must read inside a {@link #readScope()}, or call {@link #load} first.
     *
     * <p>System calls do not raise page faults: {@link #pin} the range before you pass it to the kernel.
     */
    MemorySegment memory();

    /** Whether a call has needed the volume's memory since the store was opened, and thereby mapped it. */
    boolean isMapped();

    /** Commits this volume. See {@link Store#commit()}. */
    void commit();

    /**
     * Drops everything written to this volume since its last commit. Waits for a commit in flight.
     *
     * <p>The last commit need not be your own: between the end of a write scope and this call, another thread's
     * {@link Store#commit()} may commit the changes that you mean to drop. This cannot happen when the threads that
     * write this volume take turns and commit only this volume, and no other thread commits it.
     *
     * @throws StoreBusyException when the volume has pinned pages, or the calling thread has a write scope open
     */
    void rollback();

    /**
     * Commits this volume and takes a snapshot of it, in one batch with one flush. See {@link Store#snapshot}.
     *
     * @param name follows the same rules as the name of a volume, see {@link Store#createVolume}
     * @throws IllegalUseException when the name is not valid
     * @throws SnapshotExistsException when the volume has a snapshot of that name; nothing is committed then
     */
    Snapshot snapshot(String name);

    /** Takes a snapshot of the last committed state. Commits nothing; durable when the call returns. */
    Snapshot snapshotCommitted(String name);

    /** The snapshots of this volume, in the order in which they were taken. */
    List<Snapshot> snapshots();

    /** The snapshot of this volume with this name. */
    Snapshot snapshotNamed(String name);

    /**
     * Returns this volume to the content and size of one of its snapshots; durable when the call returns. Uncommitted
     * changes are dropped. All snapshots remain, including later ones, and the volume can return to any of them. The
     * address of the memory stays the same; if the size changed, call {@link #memory()} again. Waits for write scopes.
     * A thread that reads or writes meanwhile outside a write scope finds each page either as it was before or as it is
     * afterwards.
     *
     * @throws IllegalUseException when this is a snapshot of another volume: clone it instead
     * @throws StoreBusyException when the volume has pinned pages, or the snapshot is larger than the address space
     *     that the volume has reserved; nothing has changed then
     * @throws StoreIoException when the memory could not be exchanged; the volume may already be at the snapshot,
     *     durably
     */
    void rollbackTo(Snapshot snapshot);

    /**
     * Limits {@link #referencedBytes()}; 0 removes the limit. A commit that would grow the volume beyond the limit
     * throws {@link QuotaExceededException} and changes nothing. A limit below the present value only prevents further
     * growth. Durable when the call returns.
     *
     * @throws IllegalUseException when the limit is negative
     */
    void quota(long bytes);

    /** The limit, or 0 when there is none. */
    long quotaBytes();

    /** Bytes of the blocks of this volume's committed pages, including blocks it shares with other versions. */
    long referencedBytes();

    /**
     * Changes the size while the volume is in use; durable when the call returns. Shrinking discards the bytes beyond
     * the new size, committed or not; if the volume grows again they read as zeros. The size is rounded up to whole
     * pages.
     *
     * @throws StoreBusyException when the new size exceeds the address space reserved when the volume was mapped
     *     (reopen the store, then resize), or pages beyond a smaller size are pinned
     */
    void resize(long sizeBytes);

    /** Starts reading a range into memory in the background. Returns at once and reports no errors. */
    void prefetch(long offset, long lengthBytes);

    /**
     * Reads a range into memory and verifies it. Cheaper than touching each page when many are missing, and does not
     * delay the JVM's safepoints.
     *
     * @throws CorruptPageException when a page of the range is bad
     */
    void load(long offset, long lengthBytes);

    /**
     * Keeps a range in memory until the pin is closed, so that it can be passed to system calls. Any thread may close
     * the pin. A commit waits at most ten seconds for write pins of its volumes: close them before you commit. Closing
     * the store unmaps pinned memory too: close it only when no system call uses the memory any more.
     *
     * @throws StoreBusyException when the cache cannot spare that many pinned pages
     */
    Pin pin(long offset, long lengthBytes, PinMode mode);

    /**
     * Copies bytes out of the volume. Works in pieces that do not delay safepoints, and never delivers a wrong byte.
     * While the cache is full, a page that is not in memory is copied from the compressed tier or the device without
     * taking a page frame, unless it is read again soon. This is much cheaper than a page fault, and a scan evicts
     * nothing.
     *
     * @param destination any memory except this range itself; its content is undefined when the call throws
     * @throws CorruptPageException when a page of the range is bad
     */
    void read(long offset, MemorySegment destination);

    /**
     * Copies bytes into the volume, in pieces that do not delay safepoints. Cheaper than writing to the memory for
     * whole pages that are not in memory: their old content is not read, and may even be bad.
     *
     * @param source any memory that does not overlap the range
     */
    void write(long offset, MemorySegment source);

    /**
     * Opens a scope whose {@code close} throws when a page of this volume turned out bad while the scope was open. Data
     * read inside the scope are correct if and only if it closes normally. Belongs to the thread that opened it.
     */
    Scope readScope();

    /**
     * Opens a scope that no commit splits: everything written inside it is committed together. Any number of threads
     * can have one open; it is reentrant and cheap. Commits wait for it, so keep it short. Its {@code close} throws
     * when that of a read scope would, and also when the store was too full for a write. Belongs to the thread that
     * opened it.
     */
    Scope writeScope();

    /**
     * Attaches the write-ahead log of a front end. Each commit of this volume asks the log for its LSN, has the log
     * made durable up to it, and stores the LSN with the volume. Null detaches the log.
     */
    void writeAheadLog(WriteAheadLog log);

    /** The last LSN that a commit of this volume carried, also after recovery; 0 when none did. */
    long committedLsn();

    /** Failures to read or write a page of this volume since the store was opened. */
    long badPageCount();
}
