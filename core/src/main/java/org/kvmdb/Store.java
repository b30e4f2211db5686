package org.kvmdb;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;

/**
 * A store: volumes that you use as memory and commit atomically to a log-structured file. Thread-safe.
 *
 * <pre>{@code
 * try (Store store = Store.create(path, StoreOptions.defaults().withCacheSizeBytes(1L << 30))) {
 *     Volume orders = store.createVolume("orders", VolumeOptions.ofSizeBytes(64L << 30));
 *     MemorySegment memory = orders.memory();
 *     memory.set(ValueLayout.JAVA_LONG, 0L, 42L);
 *     store.commit();
 * }
 * }</pre>
 *
 * <p>Every failure of the store is a {@link StoreException}. Arguments out of range throw {@link IllegalUseException},
 * {@link IllegalArgumentException} or {@link IndexOutOfBoundsException}. A store can be open only once: a second open
 * throws {@link StoreInUseException}, whether by this process or another and through whatever path.
 */
public interface Store extends AutoCloseable {

    /**
     * Creates a store in a directory that holds none. Creates the directory if it does not exist.
     *
     * @throws StoreExistsException when the directory already holds a store
     * @throws UnsupportedPlatformException when the kernel or container lacks a feature that page faults need
     */
    static Store create(Path directory, StoreOptions options) {
        return OpenStore.create(directory, options);
    }

    /**
     * Opens a store, and recovers it if it was not closed. Every acknowledged commit is present. A commit that was not
     * acknowledged is present as a whole or not at all.
     */
    static Store open(Path directory, StoreOptions options) {
        return OpenStore.open(directory, options);
    }

    /** The directory of the store. */
    Path path();

    /**
     * Creates a volume that reads as zeros; durable when the call returns.
     *
     * @param name up to 128 letters, digits, '.', '_' and '-', a letter or digit first, and at most 255 bytes of UTF-8
     * @throws IllegalUseException when the name is not valid
     * @throws VolumeExistsException when a volume of that name exists
     */
    Volume createVolume(String name, VolumeOptions options);

    /**
     * The volume with this name; always the same object while the store is open.
     *
     * @throws NoSuchVolumeException when there is none
     */
    Volume volume(String name);

    /** All volumes, sorted by name. */
    List<Volume> volumes();

    /**
     * Deletes a volume and invalidates its memory; durable when the call returns. Blocks that only this volume held are
     * freed in the background.
     *
     * @throws StoreBusyException when the volume has snapshots or pinned pages; the message says which
     */
    void deleteVolume(String name);

    /**
     * Commits these volumes together and takes a snapshot of each under this name, in the same batch and flush. All the
     * snapshots show the same moment, and either all of them exist or none.
     *
     * @param name follows the same rules as the name of a volume
     * @return the snapshots, in the order of the volumes
     * @throws IllegalUseException when the name is not valid, or a volume belongs to another store
     * @throws SnapshotExistsException when one of the volumes has a snapshot of that name; nothing is committed then
     */
    List<Snapshot> snapshot(String name, Collection<Volume> volumes);

    /**
     * Takes a snapshot of the last committed state of each of these volumes under this name, all or none. Commits
     * nothing; durable when the call returns.
     *
     * @return the snapshots, in the order of the volumes
     */
    List<Snapshot> snapshotCommitted(String name, Collection<Volume> volumes);

    /** All snapshots, in the order in which they were taken. */
    List<Snapshot> snapshots();

    /** The snapshot with this full name: {@code volume@name}. */
    Snapshot snapshotNamed(String fullName);

    /**
     * Reads a stream that {@link Snapshot#send} wrote, up to its end, and publishes it as a snapshot in one step;
     * nothing of it is visible before. Afterwards the volume has the same content as the snapshot.
     *
     * <p>If receiving fails, the part received so far is kept and takes space. Receiving the same stream again resumes
     * there, even after the process was killed. Receiving another stream into the same volume drops that part, and so
     * does {@link #abandonReceive}.
     *
     * @throws CorruptStreamException when the stream is damaged or ends early
     * @throws WrongBaseException when the volume does not have the base of an incremental stream, or has changed since
     * @throws VolumeExistsException when a full stream names a volume that exists
     * @throws SnapshotExistsException when the volume has a snapshot of that name, or this snapshot under another name
     * @throws StoreBusyException when another stream is being received into that volume
     * @throws IOException when the input throws it
     */
    Received receive(InputStream input, ReceiveOptions options) throws IOException;

    /** Drops the part that an interrupted {@link #receive} into this volume left; false when there was none. */
    boolean abandonReceive(String volumeName);

    /** Deletes several snapshots as {@link Snapshot#delete} does: all of them or none, with one flush. */
    void deleteSnapshots(Collection<Snapshot> snapshots);

    /** Progress of freeing the blocks of deleted snapshots and volumes in the background; resumes after a crash. */
    DeletionProgress deletionProgress();

    /**
     * Commits all volumes: everything written before the call becomes durable, atomically. Concurrent commits share one
     * batch and one flush. The commit is refused, with nothing changed, when a page needed since the last commit was
     * bad ({@link CorruptPageException}) or when there is no room ({@link StoreFullException}); roll back then.
     *
     * <p>This includes volumes that other threads are writing: their uncommitted changes are committed too, and one
     * volume over its quota fails the whole commit. If your threads run separate transactions, use
     * {@link #commit(Collection)}.
     *
     * @throws StoreBusyException when the calling thread has a write scope open, or pages stay pinned for writing for
     *     ten seconds
     */
    void commit();

    /** Commits these volumes together, as {@link #commit()} commits all; nothing when there are none. */
    void commit(Collection<Volume> volumes);

    /**
     * Commits as {@link #commit()} does, but becomes durable only with the next {@link #sync()} or commit. After a
     * crash the store holds a prefix of the asynchronous commits, each complete.
     *
     * @return the sequence of the commit in the log
     */
    long commitAsync();

    /** Makes all asynchronous commits durable. */
    void sync();

    /** Drops everything written since the last commit, in all volumes. */
    void rollback();

    /**
     * Writes the map to the log, so that opening replays nothing older, and frees segments without live blocks. The
     * store takes checkpoints by itself when they are due. Commits continue meanwhile.
     *
     * @return the last sequence of the log that the checkpoint covers
     */
    long checkpoint();

    /** Counters and latencies since the store was opened, and current sizes. */
    StoreStatistics statistics();

    /**
     * How the space of the store is used, in total and by volume and snapshot, counted from the maps. Takes time in
     * proportion to the number of pages. Commits continue meanwhile; checkpoints wait.
     */
    SpaceReport space();

    /**
     * Reduces the disk space of the store. Frees the blocks of deleted volumes and snapshots, moves live blocks out of
     * partly dead segments until at most this share of the segments in use is dead or more cleaning is not worth it,
     * takes a checkpoint, and gives free space back to the file system. A store cleans itself when it needs room; call
     * this to get the disk space back at once. Commits continue meanwhile.
     *
     * @param deadShareMax from 0 to 1
     */
    void clean(double deadShareMax, CleanProgress progress);

    /**
     * Reads every block and map node from the device, past all caches, and verifies it. A bad block does not stop the
     * scrub. The store stays in use meanwhile: the scrub reads no faster than the options allow, and at most half of
     * the time while commits run. After an interruption (the progress callback returns false, the thread is
     * interrupted, the process ends) the next scrub continues where this one stopped.
     *
     * @throws StoreBusyException when another scrub is running
     */
    ScrubReport scrub(ScrubOptions options, ScrubProgress progress);

    /**
     * Closes the store and drops uncommitted changes. From then on the memory of its volumes throws
     * {@link IllegalStateException}. Idempotent.
     *
     * @throws StoreBusyException when a native call is using a volume's memory, or the calling thread has a write scope
     *     open or is in a callback of a commit; the store stays open
     */
    @Override
    void close();
}
