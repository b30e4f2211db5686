package org.kvmdb.control;

import java.time.temporal.ChronoUnit;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.kvmdb.DeletionProgress;
import org.kvmdb.Snapshot;
import org.kvmdb.Store;
import org.kvmdb.StoreStatistics;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;

/**
 * The one table of what can be asked of a store, by the command that opened it itself or through the socket of the
 * process that has it open. Names and values are part of the protocol and of the command's JSON: keep them.
 */
public final class Operations {

    private static final Map<String, Operation> TABLE = Map.ofEntries(
            entry("info", "", Operations::info),
            entry("statistics", "", Operations::statistics),
            entry("checkpoint", "", Operations::checkpoint),
            entry("space", "", UpkeepOperations::space),
            entry("scrub", "BYTES_PER_SECOND RESTART", UpkeepOperations::scrub),
            entry("gc", "DEAD_PERCENT", UpkeepOperations::clean),
            entry("volume.list", "", Operations::listVolumes),
            entry("volume.create", "NAME SIZE_BYTES PAGE_SIZE_BYTES", Operations::createVolume),
            entry("volume.resize", "NAME SIZE_BYTES FORCE", Operations::resizeVolume),
            entry("volume.quota", "NAME BYTES", Operations::limitVolume),
            entry("volume.delete", "NAME FORCE", Operations::deleteVolume),
            entry("snapshot.list", "", Operations::listSnapshots),
            entry("snapshot.listOf", "VOLUME", Operations::listSnapshotsOf),
            entry("snapshot.create", "NAME VOLUME...", Operations::createSnapshots),
            entry("snapshot.clone", "SNAPSHOT NAME", Operations::cloneSnapshot),
            entry("snapshot.rollback", "SNAPSHOT FORCE", Operations::rollBackToSnapshot),
            entry("snapshot.delete", "WAIT SNAPSHOT...", Operations::deleteSnapshots));

    private static final long DELETION_POLL_NANOS = 10_000_000;

    private Operations() {}

    private static Map.Entry<String, Operation> entry(String name, String argumentNames, Operation.Handler handler) {
        return Map.entry(name, new Operation(argumentNames, handler));
    }

    /** Null when there is none of that name. */
    static Operation find(String name) {
        return TABLE.get(name);
    }

    static Set<String> names() {
        return TABLE.keySet();
    }

    /** Runs an operation here, on a store that this process has open. */
    public static void run(Store store, String name, List<String> arguments, Answer answer) {
        find(name).run(store, arguments, answer);
    }

    // ---- the store ----

    private static void info(Store store, Arguments arguments, Answer answer) {
        final StoreStatistics.Log log = store.statistics().log();
        answer.fact("fileBytes", log.fileBytes());
        answer.fact("liveBytes", log.liveBytes());
        answer.fact("freeBytes", log.freeBytes());
        answer.fact("mapBytes", log.mapBytes());
        answer.fact("dictionaryBytes", log.dictionaryBytes());
        answer.fact("snapshots", store.snapshots().size());
        answer.fact("sequence", log.sequence());
        answer.fact("durableSequence", log.durableSequence());
        answer.fact("recoveryNanos", log.recoveryNanos());
        answer.fact("replayedRecords", log.replayedRecords());
        answer.fact("cutBatches", log.cutBatches());
        listVolumes(store, arguments, answer);
    }

    /** All of {@link StoreStatistics}, names joined by dots. */
    private static void statistics(Store store, Arguments arguments, Answer answer) {
        store.statistics().values().forEach(answer::fact);
    }

    private static void checkpoint(Store store, Arguments arguments, Answer answer) {
        answer.fact("sequence", store.checkpoint());
    }

    // ---- volumes ----

    private static void listVolumes(Store store, Arguments arguments, Answer answer) {
        store.volumes().forEach(volume -> answer.row("volumes", describe(volume)));
    }

    private static Values describe(Volume volume) {
        return new Values()
                .with("name", volume.name())
                .with("sizeBytes", volume.sizeBytes())
                .with("pageSizeBytes", volume.pageSizeBytes())
                .with("referencedBytes", volume.referencedBytes())
                .with("quotaBytes", volume.quotaBytes())
                .with("committedLsn", volume.committedLsn());
    }

    private static void createVolume(Store store, Arguments arguments, Answer answer) {
        final int pageSizeBytes = (int) Math.min(arguments.number(2), Integer.MAX_VALUE);
        final VolumeOptions options = new VolumeOptions(arguments.number(1), pageSizeBytes);
        answer.row("volumes", describe(store.createVolume(arguments.text(0), options)));
    }

    private static void resizeVolume(Store store, Arguments arguments, Answer answer) {
        final long sizeBytes = arguments.number(1);
        final boolean force = arguments.flag(2);
        final Volume volume = store.volume(arguments.text(0));
        if (sizeBytes < volume.sizeBytes()) {
            refuseWhenMapped(volume, "shrinking it takes memory away from that process", force);
        }
        volume.resize(sizeBytes);
        answer.row("volumes", describe(volume));
    }

    private static void limitVolume(Store store, Arguments arguments, Answer answer) {
        final Volume volume = store.volume(arguments.text(0));
        volume.quota(arguments.number(1));
        answer.row("volumes", describe(volume));
    }

    private static void deleteVolume(Store store, Arguments arguments, Answer answer) {
        final boolean force = arguments.flag(1);
        final Volume volume = store.volume(arguments.text(0));
        refuseWhenMapped(volume, "deleting it takes its memory away from that process", force);
        store.deleteVolume(volume.name());
        answer.fact("deleted", volume.name());
    }

    // ---- snapshots ----

    private static void listSnapshots(Store store, Arguments arguments, Answer answer) {
        store.snapshots().forEach(snapshot -> answer.row("snapshots", describe(snapshot)));
    }

    private static void listSnapshotsOf(Store store, Arguments arguments, Answer answer) {
        store.volume(arguments.text(0)).snapshots().forEach(snapshot -> answer.row("snapshots", describe(snapshot)));
    }

    private static Values describe(Snapshot snapshot) {
        return new Values()
                .with("name", snapshot.fullName())
                .with("created", snapshot.created().truncatedTo(ChronoUnit.SECONDS))
                .with("sizeBytes", snapshot.sizeBytes())
                .with("referencedBytes", snapshot.referencedBytes())
                .with("committedLsn", snapshot.committedLsn());
    }

    /** Of what the last commits left: what the application has not committed is not for others to commit. */
    private static void createSnapshots(Store store, Arguments arguments, Answer answer) {
        final List<Volume> volumes = arguments.from(1).stream().map(store::volume).toList();
        store.snapshotCommitted(arguments.text(0), volumes)
                .forEach(snapshot -> answer.row("snapshots", describe(snapshot)));
    }

    private static void cloneSnapshot(Store store, Arguments arguments, Answer answer) {
        final Snapshot snapshot = store.snapshotNamed(arguments.text(0));
        answer.row("volumes", describe(snapshot.cloneAs(arguments.text(1))));
    }

    private static void rollBackToSnapshot(Store store, Arguments arguments, Answer answer) {
        final boolean force = arguments.flag(1);
        final Snapshot snapshot = store.snapshotNamed(arguments.text(0));
        final Volume volume = store.volume(snapshot.volumeName());
        refuseWhenMapped(volume, "rolling it back changes its memory under that process", force);
        volume.rollbackTo(snapshot);
        answer.row("volumes", describe(volume));
    }

    private static void deleteSnapshots(Store store, Arguments arguments, Answer answer) {
        final boolean wait = arguments.flag(0);
        final Set<String> names = new LinkedHashSet<>(arguments.from(1));
        store.deleteSnapshots(names.stream().map(store::snapshotNamed).toList());
        names.forEach(name -> answer.row("deleted", new Values().with("name", name)));
        if (wait) {
            awaitDeletion(store, answer);
        }
    }

    /** Until what was deleted is freed, as far as it can be at present. The background frees it also if nobody waits. */
    private static void awaitDeletion(Store store, Answer answer) {
        DeletionProgress progress = store.deletionProgress();
        while (!progress.isDone() && !answer.isCancelled()) {
            answer.progress(progress.page(), progress.pages(), "pages");
            LockSupport.parkNanos(DELETION_POLL_NANOS);
            progress = store.deletionProgress();
        }
    }

    // ---- what an application works on ----

    /** It does not go by accident. */
    private static void refuseWhenMapped(Volume volume, String why, boolean force) {
        if (volume.isMapped() && !force) {
            throw new ControlException(
                    Protocol.Code.REFUSED,
                    "volume %s is mapped by process %d, and %s: end its use there first, or say --force"
                            .formatted(volume.name(), ProcessHandle.current().pid(), why));
        }
    }
}
