package org.kvmdb;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;

/**
 * A store: volumes that are memory, committed atomically into a log-structured file. Thread-safe.
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
 * <p>Every failure is a {@link StoreException}. A store is open once: a second open, by this or another process, through
 * whatever path, throws {@link StoreInUseException}.
 */
public interface Store extends AutoCloseable {

    /**
     * Creates a store in a directory, which is made when it does not exist and must hold no store yet.
     *
     * @throws StoreExistsException when the directory holds a store
     * @throws UnsupportedPlatformException when the kernel or container lacks what page faults need
     */
    static Store create(Path directory, StoreOptions options) {
        return OpenStore.create(directory, options);
    }

    /**
     * Opens a store, recovering it when it was not closed. Everything that was ever acknowledged is there, nothing of
     * what was not is there in part.
     */
    static Store open(Path directory, StoreOptions options) {
        return OpenStore.open(directory, options);
    }

    /** The directory of the store. */
    Path path();

    /**
     * Creates a volume that reads as zeros; durable when the call returns.
     *
     * @param name up to 128 letters, digits, '.', '_' and '-', a letter or digit first
     * @throws IllegalUseException when that is no such name
     * @throws VolumeExistsException when there is one of that name
     */
    Volume createVolume(String name, VolumeOptions options);

    /**
     * The volume of that name; always the same object while the store is open.
     *
     * @throws NoSuchVolumeException when there is none
     */
    Volume volume(String name);

    /** All volumes, by name. */
    List<Volume> volumes();

    /**
     * Deletes a volume and invalidates its memory; durable when the call returns. What only it held is freed in the
     * background.
     *
     * @throws StoreBusyException when it has snapshots, or pages of it are pinned; the message says which
     */
    void deleteVolume(String name);

    /**
     * Commits these volumes together and takes a snapshot of each, under that name, in the same batch and flush: all
     * snapshots are of one moment, and exist together or not at all.
     *
     * @return the snapshots, in the order of the volumes
     * @throws IllegalUseException when that is no name, or a volume is of another store
     * @throws SnapshotExistsException when one of the volumes has a snapshot of that name; nothing is committed then
     */
    List<Snapshot> snapshot(String name, Collection<Volume> volumes);

    /**
     * Takes a snapshot of each of these volumes, under that name, of what the last commits left, all or none. Commits
     * nothing; durable when the call returns.
     *
     * @return the snapshots, in the order of the volumes
     */
    List<Snapshot> snapshotCommitted(String name, Collection<Volume> volumes);

    /** All snapshots, in the order in which they were taken. */
    List<Snapshot> snapshots();

    /** The snapshot of that full name: {@code volume@name}. */
    Snapshot snapshotNamed(String fullName);

    /**
     * Reads a stream that {@link Snapshot#send} wrote, to its end, and makes it a snapshot, in one step: until then
     * nothing of it can be seen. The volume holds what the snapshot holds afterwards.
     *
     * <p>What was received before a failure is kept aside, and takes space: receiving the same stream again goes on
     * from there, also after the process was killed. Another stream into the same volume drops it, and
     * {@link #abandonReceive} does.
     *
     * @throws CorruptStreamException when the stream is damaged, or ends early
     * @throws WrongBaseException when the volume does not have what the changes are on top of, or was changed since
     * @throws VolumeExistsException when a full stream is to go into a volume that exists
     * @throws SnapshotExistsException when the volume has a snapshot of that name, or this one by another name
     * @throws StoreBusyException when something is being received into that volume already
     * @throws IOException what the input throws
     */
    Received receive(InputStream input, ReceiveOptions options) throws IOException;

    /** Drops what an interrupted {@link #receive} into that volume has left; false when there was nothing. */
    boolean abandonReceive(String volumeName);

    /** As {@link Snapshot#delete}, of several: all of them or none, with one flush. */
    void deleteSnapshots(Collection<Snapshot> snapshots);

    /** How far the background is with freeing what deleted snapshots and volumes held. It goes on after a crash. */
    DeletionProgress deletionProgress();

    /**
     * Makes everything that was written before the call, in all volumes, durable and atomic. Concurrent commits share one
     * batch and one flush. Refused, with nothing changed, when a page that was needed since the last commit was bad
     * ({@link CorruptPageException}) or when there is no room ({@link StoreFullException}): then roll back.
     *
     * <p>All volumes are also those that other threads write: what they may yet want to roll back is committed, too, and a
     * quota of any of them refuses the whole. Who has transactions of his own names his volumes:
     * {@link #commit(Collection)}.
     *
     * @throws StoreBusyException when the caller is in a write scope, or pages stay pinned for writing for ten seconds
     */
    void commit();

    /** As {@link #commit()}, for these volumes together. */
    void commit(Collection<Volume> volumes);

    /**
     * As {@link #commit()}, but durable only after the next {@link #sync()} or commit. After a crash the store holds a
     * prefix of the asynchronous commits, each whole.
     *
     * @return the sequence of the commit in the log
     */
    long commitAsync();

    /** Makes all asynchronous commits durable. */
    void sync();

    /** Drops what was written since the last commit, in all volumes. */
    void rollback();

    /**
     * Writes the map into the log, so that opening needs to replay nothing older, and frees segments that hold nothing
     * live. Happens by itself; commits go on meanwhile.
     *
     * @return the sequence in the log up to which the checkpoint reaches
     */
    long checkpoint();

    /** What happened since the store was opened. */
    StoreStatistics statistics();

    /**
     * What the space of the store is used for, by volume and snapshot and as a whole, counted from the maps. Takes time with
     * the number of pages; commits go on meanwhile, checkpoints wait.
     */
    SpaceReport space();

    /**
     * Makes the file small: frees what was deleted, moves live blocks out of segments that are partly dead until no more than
     * that share of the segments in use is dead or it is not worth it, takes a checkpoint, and gives the free space back to
     * the file system. A store cleans itself as it needs room; this is for who wants the disk space back now. Commits go on
     * meanwhile.
     *
     * @param deadShareMax from 0 to 1
     */
    void clean(double deadShareMax, CleanProgress progress);

    /**
     * Reads every block and map node from the device, past all caches, and verifies it. What is bad does not stop it. The
     * store is in use meanwhile: it reads no faster than the options allow, and no more than half of the time while
     * something is committed. Interrupted (by the progress, by the thread's interruption, by the end of the process), the
     * next scrub goes on where it was.
     *
     * @throws StoreBusyException when another one is under way
     */
    ScrubReport scrub(ScrubOptions options, ScrubProgress progress);

    /**
     * Closes the store. What was not committed is dropped. Memory of its volumes throws {@link IllegalStateException}
     * from then on. Idempotent.
     *
     * @throws StoreBusyException when a native call is using a volume's memory, or the caller is in a write scope or in a
     *     callback of a commit; the store stays open
     */
    @Override
    void close();
}
