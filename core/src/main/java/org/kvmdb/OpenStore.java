package org.kvmdb;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.kvmdb.cache.PageCache;
import org.kvmdb.cache.Region;
import org.kvmdb.control.ControlServer;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.OpenParts;
import org.kvmdb.ffi.PageFaulter;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.gc.Cleaner;
import org.kvmdb.gc.SegmentReclaimer;
import org.kvmdb.journal.Devices;
import org.kvmdb.journal.Journal;
import org.kvmdb.journal.JournalOptions;
import org.kvmdb.journal.Version;
import org.kvmdb.journal.VolumeEntry;

/** An open store, assembled from the journal, the page cache and the cleaner. */
final class OpenStore implements Store {

    /** The file in the store's directory that holds all data. */
    static final String DATA_FILE = "store.kvmdb";

    private static final int NAME_BYTES_MAX = 255;

    /** Deadline of a device read in a page fault, after which the page is bad. */
    static final long READ_DEADLINE_MILLIS = 30_000;

    private static final int POOLED_SEGMENTS_MIN = 8;

    private final Path directory;
    private final OpenParts opened = new OpenParts();
    private final Journal journal;
    private final PageCache cache;
    private final SegmentReclaimer reclaimer;
    private final Cleaner cleaner;
    private final StoreFigures figures;
    private final OpenSnapshots snapshots;
    private final OpenStreams streams;
    private final StoreUpkeep upkeep;
    private final Map<Integer, OpenVolume> volumes = new ConcurrentHashMap<>();

    /** Keeps a version from being mapped during an operation that requires it to be unmapped. */
    private final Object mappingLock = new Object();

    private final CallGate calls;
    private boolean closed;

    /** Null when the store has no control socket. */
    private ControlServer control;

    /** Assembles a store over a given journal. Spill areas lie in the directory. Opens no control socket. */
    OpenStore(Path directory, Supplier<Journal> source, StoreOptions options) {
        this(directory, source, options, READ_DEADLINE_MILLIS);
    }

    private OpenStore(Path directory, Supplier<Journal> source, StoreOptions options, long readDeadlineMillis) {
        final long begin = System.nanoTime();
        this.directory = directory;
        this.calls = new CallGate(directory);
        try {
            this.journal = opened.add(source.get(), Journal::close);
            this.reclaimer = opened.add(new SegmentReclaimer(journal, POOLED_SEGMENTS_MIN), SegmentReclaimer::finish);
            this.cache = opened.add(
                    new PageCache(journal, directory, cacheOptions(options, readDeadlineMillis)), PageCache::close);
            this.snapshots = new OpenSnapshots(this, journal, cache);
            this.streams = new OpenStreams(this, journal, cache);
            this.cleaner = new Cleaner(journal, reclaimer);
            this.upkeep = new StoreUpkeep(this, journal, reclaimer, cleaner);
            opened.add(new Maintenance(journal, reclaimer, cleaner), Maintenance::close);
            this.figures = new StoreFigures(journal, cache, cleaner, System.nanoTime() - begin);
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    static Store create(Path directory, StoreOptions options) {
        return ExceptionMapper.call(() -> {
            PageFaulter.install();
            final List<Path> made = StoreDirectory.make(directory);
            StoreDirectory.warnIfOpenToAll(directory);
            final Path file = directory.resolve(DATA_FILE);
            final JournalOptions journalOptions = journalOptions(options);
            final AtomicBoolean isOurs = new AtomicBoolean();
            try {
                final OpenStore store = new OpenStore(
                        directory, () -> createJournal(file, journalOptions, isOurs), options);
                return closingOnFailure(store, () -> {
                    StoreDirectory.flush(directory, made);
                    store.listen(options);
                });
            } catch (RuntimeException | Error e) {
                // What did not come to be a store must not stand in the way of the next try.
                if (isOurs.get()) {
                    StoreDirectory.deleteQuietly(file);
                }
                StoreDirectory.deleteEmpty(made);
                throw e;
            }
        });
    }

    /** @param isMade set once this call has created the file */
    private static Journal createJournal(Path file, JournalOptions options, AtomicBoolean isMade) {
        try {
            final Journal journal = Journal.create(Devices.create(file), options);
            isMade.set(true);
            return journal;
        } catch (StorageException e) {
            throw e.code() == ErrorCode.ALREADY_EXISTS
                    ? new StorageException(
                            ErrorCode.ALREADY_EXISTS, "there is a store already: %s; open it".formatted(file), e)
                    : e;
        }
    }

    private static OpenStore closingOnFailure(OpenStore store, Runnable action) {
        try {
            action.run();
            return store;
        } catch (RuntimeException | Error e) {
            try {
                store.close();
            } catch (StoreException alsoFailed) {
                e.addSuppressed(alsoFailed);
            }
            throw e;
        }
    }

    static Store open(Path directory, StoreOptions options) {
        return open(directory, options, READ_DEADLINE_MILLIS);
    }

    static Store open(Path directory, StoreOptions options, long readDeadlineMillis) {
        return ExceptionMapper.call(() -> {
            PageFaulter.install();
            final Path file = directory.resolve(DATA_FILE);
            if (!Devices.exists(file)) {
                StoreDirectory.checkIsNoFile(directory);
                throw new StorageException(
                        ErrorCode.NOT_A_STORE, "no store at %s: %s does not exist; create it".formatted(directory, file));
            }
            StoreDirectory.warnIfOpenToAll(directory);
            final JournalOptions journalOptions = journalOptions(options);
            final OpenStore store = new OpenStore(
                    directory,
                    () -> Journal.open(Devices.open(file, false), journalOptions),
                    options,
                    readDeadlineMillis);
            return closingOnFailure(store, () -> store.listen(options));
        });
    }

    /** Call only while holding the lock of the store's file, which proves that any existing socket is stale. */
    private synchronized void listen(StoreOptions options) {
        if (options.countersFile()) {
            Telemetry.open(directory, figures).ifPresent(telemetry -> opened.add(telemetry, Telemetry::close));
        }
        if (options.controlSocket()) {
            control = ControlServer.open(this);
        }
    }

    private static PageCache.Options cacheOptions(StoreOptions options, long readDeadlineMillis) {
        return new PageCache.Options(
                options.cacheSizeBytes(), options.compressedTierShare(), options.directReads(), readDeadlineMillis);
    }

    static JournalOptions journalOptions(StoreOptions options) {
        return JournalOptions.defaults()
                .withSegmentSizeBytes(options.segmentSizeBytes())
                .withMaxSizeBytes(options.maxSizeBytes())
                .withCheckpointRecordsMax(options.checkpointRecords())
                .withDictionarySampleBytes(options.dictionary() ? JournalOptions.defaults().dictionarySampleBytes() : 0)
                .withPooledSegmentsMax(POOLED_SEGMENTS_MIN);
    }

    // ---- volumes ----

    @Override
    public Path path() {
        return directory;
    }

    @Override
    public Volume createVolume(String name, VolumeOptions options) {
        return call(() -> {
            checkName("volume", name);
            final long pageBytes = options.pageSizeBytes();
            final long size = roundUp(options.sizeBytes(), pageBytes);
            return volumeOf(journal.createVolume(name, size, Long.numberOfTrailingZeros(pageBytes)));
        });
    }

    /** @param what the kind of object, for the message */
    static void checkName(String what, String name) {
        if (!name.matches("[\\p{L}\\p{N}][\\p{L}\\p{N}._-]{0,127}")
                || name.getBytes(StandardCharsets.UTF_8).length > NAME_BYTES_MAX) {
            throw new StorageException(
                    ErrorCode.ILLEGAL_USE,
                    ("not a %s name: '%s'; use up to 128 letters, digits, '.', '_' and '-', a letter or digit first,"
                                    + " and at most 255 bytes of UTF-8")
                            .formatted(what, name));
        }
    }

    static long roundUp(long bytes, long unit) {
        return (bytes + unit - 1) / unit * unit;
    }

    /** Whether a volume of this name is hidden from users because a stream is being received into it. */
    static boolean isHidden(String name) {
        return name.startsWith(".");
    }

    static void checkNotHidden(String name) {
        if (isHidden(name)) {
            throw new StorageException(ErrorCode.NO_SUCH_VOLUME, "no such volume: " + name);
        }
    }

    @Override
    public Volume volume(String name) {
        return call(() -> {
            checkNotHidden(name);
            return volumeOf(journal.volume(name));
        });
    }

    @Override
    public List<Volume> volumes() {
        return call(() -> journal.volumes().stream()
                .filter(entry -> !entry.isHidden())
                .sorted(Comparator.comparing(VolumeEntry::name))
                .<Volume>map(this::volumeOf)
                .toList());
    }

    OpenVolume volumeOf(VolumeEntry entry) {
        return volumes.computeIfAbsent(entry.id(), id -> new OpenVolume(this, entry));
    }

    @Override
    public void deleteVolume(String name) {
        call(() -> {
            checkNotHidden(name);
            synchronized (mappingLock) {
                final VolumeEntry entry = journal.volume(name);
                snapshots.checkHasNone(entry);
                cache.close(entry);
                volumes.remove(entry.id());
                journal.deleteVolume(entry.id());
            }
            return null;
        });
    }

    void resize(OpenVolume volume, long sizeBytes) {
        run(() -> {
            if (sizeBytes <= 0 || sizeBytes > VolumeOptions.sizeBytesMax(volume.pageSizeBytes())) {
                throw new StorageException(ErrorCode.ILLEGAL_USE, "a volume's size is from 1 to 2^36 pages: " + sizeBytes);
            }
            final long roundedBytes = roundUp(sizeBytes, volume.pageSizeBytes());
            final VolumeEntry entry = volume.entry();
            if (!unlessMapped(entry, () -> journal.resizeVolume(entry.id(), roundedBytes))) {
                cache.resize(volume.region(), roundedBytes);
            }
        });
    }

    void quota(VolumeEntry entry, long bytes) {
        run(() -> {
            if (bytes < 0) {
                throw new StorageException(ErrorCode.ILLEGAL_USE, "quota must not be negative: " + bytes);
            }
            journal.versions().quota(entry.id(), bytes);
        });
    }

    // ---- mapping ----

    Region map(OpenVersion version) {
        synchronized (mappingLock) {
            final Version entry = version.version();
            if (entry.isDeleted()) {
                throw new StorageException(ErrorCode.CLOSED, "%s was deleted".formatted(entry.name()));
            }
            final Region region = cache.open(entry);
            version.region(region);
            return region;
        }
    }

    /** Runs an action during which no further version can be mapped. */
    void whileMappingStands(Runnable action) {
        synchronized (mappingLock) {
            action.run();
        }
    }

    /**
     * Runs an action that requires the version to be unmapped. Returns false, without running it, when it is mapped.
     */
    boolean unlessMapped(Version entry, Runnable action) {
        synchronized (mappingLock) {
            if (cache.isMapped(entry)) {
                return false;
            }
            action.run();
            return true;
        }
    }

    void unmap(OpenVersion version) {
        synchronized (mappingLock) {
            cache.close(version.version());
            version.region(null);
        }
    }

    // ---- snapshots ----

    @Override
    public List<Snapshot> snapshot(String name, Collection<Volume> chosen) {
        return call(() -> snapshots.take(name, chosen.stream().map(this::ours).toList()));
    }

    @Override
    public List<Snapshot> snapshotCommitted(String name, Collection<Volume> chosen) {
        return call(() -> snapshots.takeCommitted(name, chosen.stream().map(this::ours).toList()));
    }

    @Override
    public List<Snapshot> snapshots() {
        return call(snapshots::all);
    }

    @Override
    public Snapshot snapshotNamed(String fullName) {
        return call(() -> snapshots.named(fullName));
    }

    @Override
    public void deleteSnapshots(Collection<Snapshot> chosen) {
        run(() -> snapshots.delete(chosen));
    }

    @Override
    public DeletionProgress deletionProgress() {
        return call(snapshots::deletionProgress);
    }

    OpenSnapshots snapshotsOfStore() {
        return snapshots;
    }

    @Override
    public Received receive(InputStream input, ReceiveOptions options) throws IOException {
        return streams.receive(input, options);
    }

    @Override
    public boolean abandonReceive(String volumeName) {
        return call(() -> streams.abandon(volumeName));
    }

    OpenStreams streams() {
        return streams;
    }

    // ---- commit ----

    @Override
    public void commit() {
        call(() -> cache.commit(List.of(), true));
    }

    @Override
    public void commit(Collection<Volume> chosen) {
        if (!chosen.isEmpty()) {
            call(() -> cache.commit(regionsOf(chosen), true));
        }
    }

    @Override
    public long commitAsync() {
        return call(() -> cache.commit(List.of(), false));
    }

    @Override
    public void sync() {
        run(journal::flush);
    }

    @Override
    public void rollback() {
        rollback(List.of());
    }

    void rollback(List<Region> chosen) {
        run(() -> cache.rollback(chosen));
    }

    private List<Region> regionsOf(Collection<Volume> chosen) {
        return chosen.stream().map(volume -> ours(volume).region()).toList();
    }

    OpenVolume ours(Volume volume) {
        if (volume instanceof OpenVolume open && open.isOf(this)) {
            return open;
        }
        throw new StorageException(ErrorCode.ILLEGAL_USE, "volume %s is of another store".formatted(volume.name()));
    }

    @Override
    public long checkpoint() {
        return call(reclaimer::checkpoint);
    }

    // ---- life ----

    @Override
    public String toString() {
        return "store " + directory;
    }

    void run(Runnable action) {
        call(() -> {
            action.run();
            return null;
        });
    }

    /** Runs an action on the open store and translates its exceptions. Close waits for it. */
    <T> T call(Supplier<T> action) {
        return ExceptionMapper.call(() -> {
            calls.enter();
            try {
                return action.get();
            } finally {
                calls.leave();
            }
        });
    }

    /** Throws when the store is closing, so that the calling operation, which close waits for, can end early. */
    void checkNotClosing() {
        calls.checkNotClosing();
    }

    @Override
    public void close() {
        // Before anything is waited for, another thread that is closing included: it may wait for the one that calls.
        ExceptionMapper.run(cache::checkCanClose);
        closeOnce();
    }

    private synchronized void closeOnce() {
        if (closed) {
            return;
        }
        ExceptionMapper.run(() -> {
            if (control != null) {
                control.close();
            }
            calls.close();
            try {
                cache.closeMemory();
            } catch (StorageException e) {
                calls.reopen();
                control = control == null ? null : ControlServer.open(this);
                throw e;
            }
            closed = true;
            opened.close();
        });
    }

    // ---- statistics ----

    @Override
    public StoreStatistics statistics() {
        return call(figures::statistics);
    }

    @Override
    public SpaceReport space() {
        return call(upkeep::space);
    }

    @Override
    public void clean(double deadShareMax, CleanProgress progress) {
        upkeep.clean(deadShareMax, progress);
    }

    @Override
    public ScrubReport scrub(ScrubOptions options, ScrubProgress progress) {
        return upkeep.scrub(options, progress);
    }
}
