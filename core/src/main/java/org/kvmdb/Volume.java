package org.kvmdb;

import java.lang.foreign.MemorySegment;
import java.util.List;

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

    /** Whether its memory was asked for, by whatever call that needs it, since the store was opened. */
    boolean isMapped();

    /** Commits this volume. See {@link Store#commit()}. */
    void commit();

    /**
     * Drops what was written to this volume since its last commit. Waits for a commit in flight.
     *
     * <p>Which last commit, is for the application to know: between the end of a write scope and this call another thread's
     * {@link Store#commit()} may have committed what is to be dropped. Nothing can when each thread that writes this volume
     * commits only it, and they take turns.
     *
     * @throws StoreBusyException when pages of it are pinned, or the caller is in a write scope
     */
    void rollback();

    /**
     * Commits this volume and takes a snapshot of it, in one batch with one flush. See {@link Store#snapshot}.
     *
     * @param name checked as names of volumes are
     * @throws IllegalUseException when that is no name
     * @throws SnapshotExistsException when there is one of that name; nothing is committed then
     */
    Snapshot snapshot(String name);

    /** Takes a snapshot of what the last commit left, and commits nothing; durable when the call returns. */
    Snapshot snapshotCommitted(String name);

    /** The snapshots of this volume, in the order in which they were taken. */
    List<Snapshot> snapshots();

    /** The snapshot of this volume of that name. */
    Snapshot snapshotNamed(String name);

    /**
     * Makes this volume hold what a snapshot of it holds, its size too; durable when the call returns. What was not
     * committed is dropped. All snapshots stay, also later ones, to which the volume can go in the same way. The address
     * of the memory stays; as after {@link #resize}, ask for it again when the size is another. Waits for write scopes;
     * who reads or writes meanwhile outside of one finds each page as it was before or as it is afterwards.
     *
     * @throws IllegalUseException when it is a snapshot of another volume: clone it instead
     * @throws StoreBusyException when pages of the volume are pinned, or the snapshot is larger than the address space
     *     that the volume has reserved; nothing has changed then
     * @throws StoreIoException when memory could not be exchanged: then the volume may stand at the snapshot already, durably
     */
    void rollbackTo(Snapshot snapshot);

    /**
     * Limits {@link #referencedBytes()}; 0 lifts the limit. A commit that would grow the volume beyond it throws
     * {@link QuotaExceededException} before any change. A limit below what there is only keeps it from growing. Durable
     * when the call returns.
     *
     * @throws IllegalUseException when it is negative
     */
    void quota(long bytes);

    /** The limit, or 0 when there is none. */
    long quotaBytes();

    /** Bytes of the blocks of the committed pages of this volume, those counted that it shares with snapshots. */
    long referencedBytes();

    /**
     * Changes the size, online; durable when the call returns. Bytes beyond a smaller size are gone, also those not
     * committed; growing again reads zeros. A size is rounded up to whole pages.
     *
     * @throws StoreBusyException when it grows beyond the address space reserved when it was mapped (reopen the store to go on),
     *     or pages beyond the smaller size are pinned
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
     * Keeps a range in memory until the pin is closed, by whatever thread, so that it can be handed to system calls. A commit
     * waits for write pins of its volumes, ten seconds at most: close it first.
     *
     * @throws StoreBusyException when more would be pinned than the cache can spare
     */
    Pin pin(long offset, long lengthBytes, PinMode mode);

    /**
     * Copies out of the volume, in pieces that neither delay safepoints nor yield a wrong byte. While the cache is full, what is not in
     * memory goes from the compressed tier or the device to the destination without taking a page frame, unless it is asked for
     * again soon: much cheaper than a page fault, and a scan drives nothing out.
     *
     * @param destination any memory that is not that range itself; its content is undefined when the call throws
     * @throws CorruptPageException when a page of the range cannot be had
     */
    void read(long offset, MemorySegment destination);

    /**
     * Copies into the volume in pieces that do not delay safepoints. Better than writing to the memory for whole pages that
     * are not there: what they held is not read, and may even be bad.
     *
     * @param source any memory that does not overlap the range
     */
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
