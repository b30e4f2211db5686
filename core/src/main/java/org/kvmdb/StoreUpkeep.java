package org.kvmdb;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.gc.Cleaner;
import org.kvmdb.gc.ScrubDefect;
import org.kvmdb.gc.ScrubResult;
import org.kvmdb.gc.Scrubber;
import org.kvmdb.gc.SegmentReclaimer;
import org.kvmdb.gc.SpaceCensus;
import org.kvmdb.journal.Journal;
import org.kvmdb.journal.SegmentSpace;
import org.kvmdb.journal.SnapshotEntry;
import org.kvmdb.journal.Version;
import org.kvmdb.journal.VolumeEntry;

/** Scrubs, cleans and accounts for the space of an open store. */
final class StoreUpkeep {

    /** File in the store's directory with the progress of an interrupted scrub. */
    static final String SCRUB_STATE = "scrub.state";

    private final OpenStore store;
    private final Journal journal;
    private final SegmentReclaimer reclaimer;
    private final Cleaner cleaner;
    private final Path scrubState;
    private final AtomicBoolean scrubbing = new AtomicBoolean();

    StoreUpkeep(OpenStore store, Journal journal, SegmentReclaimer reclaimer, Cleaner cleaner) {
        this.store = store;
        this.journal = journal;
        this.reclaimer = reclaimer;
        this.cleaner = cleaner;
        this.scrubState = store.path().resolve(SCRUB_STATE);
    }

    // ---- scrub ----

    /**
     * Each step is a separate call, so that the store can be closed in between; the scrub then ends with an exception.
     */
    ScrubReport scrub(ScrubOptions options, ScrubProgress progress) {
        if (!scrubbing.compareAndSet(false, true)) {
            return ExceptionMapper.call(() -> {
                throw new StorageException(ErrorCode.BUSY, "a scrub of this store is under way: wait for it, or stop it");
            });
        }
        try (Scrubber scrubber = store.call(() -> open(options))) {
            boolean more = true;
            while (more && !Thread.currentThread().isInterrupted()) {
                more = store.call(scrubber::step);
                final long totalBytes = store.call(scrubber::totalBytes);
                if (!progress.progress(scrubber.doneBytes(), totalBytes)) {
                    break;
                }
                LockSupport.parkNanos(scrubber.pauseNanos());
            }
            return report(scrubber.result());
        } finally {
            scrubbing.set(false);
        }
    }

    private Scrubber open(ScrubOptions options) {
        if (options.isRestart()) {
            Scrubber.forget(scrubState);
        }
        return new Scrubber(journal, scrubState, options.bytesPerSecond());
    }

    private static ScrubReport report(ScrubResult result) {
        return new ScrubReport(
                result.isFinished(), result.isResumed(), Instant.ofEpochMilli(result.beganMillis()), result.pages(),
                result.nodes(), result.bytes(), result.defects().stream().map(StoreUpkeep::badBlock).toList(),
                result.defectCount());
    }

    private static ScrubReport.BadBlock badBlock(ScrubDefect defect) {
        return new ScrubReport.BadBlock(
                defect.isNode(), defect.volume(), defect.lpn(), defect.pages(), defect.ppn(), defect.position(),
                defect.fact(), defect.holders());
    }

    // ---- cleaning ----

    void clean(double deadShareMax, CleanProgress progress) {
        if (!(deadShareMax >= 0 && deadShareMax <= 1)) {
            throw new IllegalArgumentException("a share lies between 0 and 1: " + deadShareMax);
        }
        store.call(() -> {
            reclaimer.checkpoint();
            final boolean isDone = cleaner.compact(deadShareMax, (deadBytes, targetBytes) -> {
                store.checkNotClosing();
                return progress.progress(deadBytes, targetBytes);
            });
            if (isDone) {
                reclaimer.checkpoint();
                reclaimer.giveBackAll();
            }
            return null;
        });
    }

    // ---- space ----

    SpaceReport space() {
        final SpaceCensus census = SpaceCensus.take(journal);
        final SegmentSpace s = census.segments();
        final List<SpaceReport.Holder> holders = new ArrayList<>();
        long deletedBytes = 0;
        for (SpaceCensus.Entry entry : byVolume(census.versions())) {
            if (entry.version().isDeleted()) {
                deletedBytes += entry.space().uniqueBytes() + entry.space().uniqueNodeBytes();
            } else {
                holders.add(holder(entry));
            }
        }
        return new SpaceReport(
                census.isExact(),
                holders,
                new SpaceReport.Use(
                        census.pageBytes(), census.nodeBytes(), s.dyingNodeBytes(), s.liveBytes(), s.stolenBytes(),
                        s.deadBytes(), s.reclaimableBytes(), s.openBytes(), s.freeBytes(), s.holeBytes(),
                        s.segmentBytes(), s.metadataBytes(), s.deviceBytes(), s.allocatedBytes()),
                new SpaceReport.Reserve(
                        s.dirtyReserveBytes(), s.checkpointReserveBytes(), s.availableBytes(), s.limitBytes()),
                OpenSnapshots.progress(census.deletion()),
                deletedBytes);
    }

    /** Volumes sorted by name, each followed by its snapshots in the order in which they were taken. */
    private static List<SpaceCensus.Entry> byVolume(List<SpaceCensus.Entry> entries) {
        final Function<SpaceCensus.Entry, String> volume = entry ->
                entry.version() instanceof SnapshotEntry snapshot ? snapshot.volumeName() : entry.version().name();
        return entries.stream()
                .sorted(Comparator.comparing(volume)
                        .thenComparing(entry -> entry.version() instanceof SnapshotEntry)
                        .thenComparing(entry -> entry.version().id()))
                .toList();
    }

    private static SpaceReport.Holder holder(SpaceCensus.Entry entry) {
        final Version version = entry.version();
        return new SpaceReport.Holder(
                version.name(), version instanceof SnapshotEntry, origin(version), version.sizeBytes(),
                1 << version.pageShift(), entry.space().referencedPages(), entry.space().referencedBytes(),
                entry.space().uniqueBytes(), entry.space().uniqueNodeBytes(),
                version instanceof VolumeEntry head ? head.quotaBytes() : 0);
    }

    /** Beyond the snapshots that the volume has had since. */
    private static String origin(Version version) {
        if (version instanceof SnapshotEntry) {
            return null;
        }
        Version ancestor = version.parent();
        while (ancestor instanceof SnapshotEntry own && own.volumeId() == version.id()) {
            ancestor = own.parent();
        }
        return ancestor == null || ancestor.isDeleted() ? null : ancestor.name();
    }
}
