package org.kvmdb.journal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.StorageException;

/**
 * Changes the catalog. The record of a change is committed and flushed before the catalog in memory changes. An
 * impossible change is refused before anything changes. When memory cannot follow a durable record, the journal fails:
 * opening it again replays the record. Under the append lock.
 */
final class CatalogWriter {

    private static final int NAMES_LISTED_MAX = 5;

    private final Catalog catalog;
    private final CatalogChanges changes;
    private final LogWriter log;
    private final SpaceBudget budget;
    private final Counters counters;
    private final Failure failure;
    private final RandomGenerator random;
    private final InstantSource clock;

    CatalogWriter(JournalParts parts, CatalogChanges changes, SpaceBudget budget, JournalOptions options) {
        this.catalog = parts.catalog();
        this.changes = changes;
        this.log = parts.log();
        this.budget = budget;
        this.counters = parts.counters();
        this.failure = parts.failure();
        this.random = options.random();
        this.clock = options.clock();
    }

    // ---- volumes ----

    VolumeEntry createVolume(String name, long sizeBytes, int pageShift) {
        checkName(name);
        if (pageShift < BlockDescriptor.PAGE_SHIFT_MIN
                || pageShift > BlockDescriptor.PAGE_SHIFT_MAX
                || isImpossibleSize(sizeBytes, pageShift)) {
            throw new StorageException(
                    ErrorCode.INVALID,
                    "no such volume is possible: name=%s size=%d page shift=%d".formatted(name, sizeBytes, pageShift));
        }
        changes.checkFree(name);
        changes.prepareCreate();
        budget.promise(name, 1);
        final int id = catalog.nextId();
        final long family = Integer.toUnsignedLong(random.nextInt() | 1);
        return commit(
                SpaceClaim.COMMIT,
                () -> log.record(RecordDescriptor.KIND_VOLUME_CREATE, pageShift, id, sizeBytes, family, bytes(name)),
                () -> changes.createVolume(id, name, sizeBytes, pageShift, family));
    }

    void deleteVolume(VolumeEntry volume) {
        final List<SnapshotEntry> snapshots = catalog.snapshotsOf(volume);
        if (!snapshots.isEmpty()) {
            throw new StorageException(
                    ErrorCode.BUSY,
                    "volume %s has snapshots, delete them first: %s".formatted(volume.name(), names(snapshots)));
        }
        commit(
                SpaceClaim.MAKE_ROOM,
                () -> log.record(RecordDescriptor.KIND_VOLUME_DELETE, 0, volume.id(), 0, 0),
                () -> changes.deleteVolume(volume));
    }

    void resize(VolumeEntry volume, long sizeBytes) {
        if (isImpossibleSize(sizeBytes, volume.pageShift())) {
            throw new StorageException(
                    ErrorCode.INVALID, "no such size is possible: volume=%s size=%d".formatted(volume.name(), sizeBytes));
        }
        changes.prepareResize(volume);
        commit(
                sizeBytes < volume.sizeBytes() ? SpaceClaim.MAKE_ROOM : SpaceClaim.COMMIT,
                () -> log.record(RecordDescriptor.KIND_VOLUME_RESIZE, 0, volume.id(), sizeBytes, 0),
                () -> changes.resize(volume, sizeBytes));
    }

    void quota(VolumeEntry volume, long quotaBytes) {
        if (quotaBytes < 0) {
            throw new StorageException(ErrorCode.INVALID, "no such quota is possible: " + quotaBytes);
        }
        commit(
                SpaceClaim.MAKE_ROOM,
                () -> log.record(RecordDescriptor.KIND_QUOTA, 0, volume.id(), quotaBytes, 0),
                () -> volume.quotaBytes(quotaBytes));
    }

    // ---- snapshots ----

    /** A snapshot that is to be taken. */
    private record Planned(VolumeEntry source, int id, VolumeEntry owner, String name, long guid, long createdMillis) {}

    /** A snapshot that a commit takes: its record, which stands behind the pages, and what is done when the commit applies. */
    record SnapshotPlan(Runnable record, Runnable take) {}

    /** Plans a snapshot as a part of a commit that is being appended. */
    SnapshotPlan snapshot(VolumeEntry volume, String name, int idsTaken, List<SnapshotEntry> made) {
        final Planned planned = plan(volume, volume, name, idsTaken, random.nextLong(), clock.millis());
        return new SnapshotPlan(() -> record(planned), () -> made.add(take(planned)));
    }

    /** Snapshots of what several volumes hold, together. */
    List<SnapshotEntry> createSnapshots(Collection<VolumeEntry> volumes, String name) {
        final List<Planned> planned = new ArrayList<>();
        for (VolumeEntry volume : volumes) {
            planned.add(plan(volume, volume, name, planned.size(), random.nextLong(), clock.millis()));
        }
        return commit(
                SpaceClaim.COMMIT, () -> planned.forEach(this::record), () -> planned.stream().map(this::take).toList());
    }

    private Planned plan(
            VolumeEntry source, VolumeEntry owner, String name, int idsTaken, long guid, long createdMillis) {
        checkName(name);
        changes.checkFree(owner, name);
        if (catalog.epoch() + idsTaken >= Integer.MAX_VALUE - 1) {
            throw new StorageException(ErrorCode.BUSY, "the store has taken all the snapshots that it can");
        }
        budget.promise(name, 0);
        return new Planned(source, catalog.nextId() + idsTaken, owner, name, guid, createdMillis);
    }

    private void record(Planned planned) {
        final byte[] name = bytes(planned.name);
        final ByteBuffer tail = ByteBuffer.allocate(SnapshotTailDescriptor.SNAPSHOT_NAME_OFFSET + name.length)
                .order(ByteOrder.LITTLE_ENDIAN);
        tail.putInt(planned.id).putInt(planned.owner.id()).put(name);
        log.record(
                RecordDescriptor.KIND_SNAPSHOT_CREATE, 0, planned.source.id(), planned.guid, planned.createdMillis,
                tail.array());
    }

    private SnapshotEntry take(Planned planned) {
        return changes.createSnapshot(
                planned.source, planned.id, planned.owner, planned.name, planned.guid, planned.createdMillis);
    }

    VolumeEntry cloneSnapshot(SnapshotEntry snapshot, String name) {
        checkName(name);
        changes.checkFree(name);
        budget.promise(name, 0);
        final int id = catalog.nextId();
        return commit(
                SpaceClaim.COMMIT,
                () -> log.record(RecordDescriptor.KIND_CLONE, 0, id, snapshot.id(), 0, bytes(name)),
                () -> changes.cloneSnapshot(snapshot, id, name));
    }

    void rollback(VolumeEntry volume, SnapshotEntry snapshot) {
        if (snapshot.volume() != volume) {
            throw new StorageException(
                    ErrorCode.INVALID,
                    "%s is no snapshot of volume %s: clone it instead".formatted(snapshot.name(), volume.name()));
        }
        budget.checkRoomToMakeRoom(volume.name());
        final int abandonedId = catalog.nextId();
        changes.prepareRollback(volume, snapshot);
        commit(
                SpaceClaim.MAKE_ROOM,
                () -> log.record(RecordDescriptor.KIND_ROLLBACK, 0, volume.id(), snapshot.id(), abandonedId),
                () -> changes.rollback(volume, snapshot, abandonedId));
    }

    /** Deletes all of them or none. */
    void deleteSnapshots(List<SnapshotEntry> snapshots) {
        snapshots.forEach(CatalogWriter::checkDeletable);
        commit(
                SpaceClaim.MAKE_ROOM,
                () -> snapshots.forEach(
                        snapshot -> log.record(RecordDescriptor.KIND_SNAPSHOT_DELETE, 0, snapshot.id(), 0, 0)),
                () -> snapshots.forEach(changes::deleteSnapshot));
        counters.recordsSinceCheckpoint += snapshots.size();
    }

    private static void checkDeletable(SnapshotEntry snapshot) {
        // What hangs on it may be a snapshot of the clone.
        final List<VolumeEntry> clones = snapshot.children().stream()
                .filter(child -> !child.isDeleted())
                .map(CatalogWriter::ownerOf)
                .filter(volume -> volume != snapshot.volume())
                .distinct()
                .toList();
        if (!clones.isEmpty()) {
            throw new StorageException(
                    ErrorCode.BUSY,
                    "snapshot %s is cloned, delete the clones first: %s".formatted(snapshot.name(), names(clones)));
        }
        if (snapshot.mapUsers() > 0) {
            throw new StorageException(
                    ErrorCode.BUSY, "snapshot %s is in use, mapped or being sent: release it first".formatted(snapshot.name()));
        }
    }

    private static VolumeEntry ownerOf(Version version) {
        return switch (version) {
            case VolumeEntry volume -> volume;
            case SnapshotEntry snapshot -> snapshot.volume();
        };
    }

    /**
     * Makes what a hidden volume holds a snapshot that is seen: of the target, which goes on from it, or of the hidden volume,
     * which gets a name.
     */
    SnapshotEntry publish(
            VolumeEntry hidden, VolumeEntry target, String volumeName, String snapshotName, long guid,
            long createdMillis, long lsn) {
        final VolumeEntry owner = target == null ? hidden : target;
        if (target == null) {
            checkName(volumeName);
            changes.checkFree(volumeName);
        } else if (target.familyId() != hidden.familyId()) {
            throw new StorageException(
                    ErrorCode.INVALID, "volume %s is no clone of %s".formatted(hidden.name(), target.name()));
        }
        final Planned planned = plan(hidden, owner, snapshotName, 0, guid, createdMillis);
        budget.promise(target == null ? volumeName : target.name(), 0);
        final int abandonedId = planned.id + 1;
        if (target != null) {
            changes.prepareRollback(target, hidden);
        }
        return commit(SpaceClaim.COMMIT, () -> {
            log.record(RecordDescriptor.KIND_LSN, 0, hidden.id(), lsn, 0);
            record(planned);
            if (target == null) {
                log.record(RecordDescriptor.KIND_VOLUME_RENAME, 0, hidden.id(), 0, 0, bytes(volumeName));
            } else {
                log.record(RecordDescriptor.KIND_ROLLBACK, 0, target.id(), planned.id, abandonedId);
                log.record(RecordDescriptor.KIND_VOLUME_DELETE, 0, hidden.id(), 0, 0);
            }
        }, () -> {
            hidden.lsn(lsn);
            final SnapshotEntry snapshot = take(planned);
            if (target == null) {
                changes.rename(hidden, volumeName);
            } else {
                changes.rollback(target, snapshot, abandonedId);
                changes.deleteVolume(hidden);
            }
            return snapshot;
        });
    }

    // ---- shared ----

    private static void checkName(String name) {
        final int length = bytes(name).length;
        if (length < 1 || length > RecordDescriptor.NAME_LENGTH_MAX || name.indexOf('@') >= 0) {
            throw new StorageException(ErrorCode.INVALID, "no such name is possible: '%s'".formatted(name));
        }
    }

    private static byte[] bytes(String name) {
        return name.getBytes(StandardCharsets.UTF_8);
    }

    private static String names(List<? extends Version> versions) {
        return versions.stream().limit(NAMES_LISTED_MAX).map(Version::name).collect(Collectors.joining(", "))
                + (versions.size() > NAMES_LISTED_MAX ? " and %d more".formatted(versions.size() - NAMES_LISTED_MAX) : "");
    }

    private static boolean isImpossibleSize(long sizeBytes, int pageShift) {
        return sizeBytes < 0 || VolumeEntry.pageCount(sizeBytes, pageShift) > MapNodeDescriptor.LPN_LIMIT;
    }

    private void commit(SpaceClaim claim, Runnable records, Runnable change) {
        commit(claim, records, () -> {
            change.run();
            return null;
        });
    }

    /** Makes records durable, then changes memory accordingly, or the journal fails. */
    private <T> T commit(SpaceClaim claim, Runnable records, Supplier<T> change) {
        log.beginGroup(claim);
        try {
            records.run();
            log.endGroup(BatchDescriptor.FLAG_COMMIT);
        } catch (RuntimeException e) {
            log.abandonGroup();
            throw e;
        }
        log.flush();
        counters.recordsSinceCheckpoint++;
        try {
            return change.get();
        } catch (RuntimeException e) {
            throw failure.fail(e);
        }
    }
}
