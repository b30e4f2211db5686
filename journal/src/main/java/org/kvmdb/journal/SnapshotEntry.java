package org.kvmdb.journal;

/** A snapshot in the catalog: the content of a volume when the snapshot was taken. It never changes. */
public final class SnapshotEntry extends Version {

    private final VolumeEntry volume;
    private final String snapshotName;
    private final int epoch;
    private final long guid;
    private final long createdMillis;

    /** @param volume whose snapshot it is; not its parent in the tree of versions */
    SnapshotEntry(
            int id, VolumeEntry volume, String snapshotName, long sizeBytes, long lsn, int epoch, long guid,
            long createdMillis) {
        super(id, sizeBytes, volume.pageShift(), volume.familyId(), lsn);
        this.volume = volume;
        this.snapshotName = snapshotName;
        this.epoch = epoch;
        this.guid = guid;
        this.createdMillis = createdMillis;
    }

    @Override
    public String name() {
        return volume.name() + '@' + snapshotName;
    }

    public String snapshotName() {
        return snapshotName;
    }

    public int volumeId() {
        return volume.id();
    }

    public String volumeName() {
        return volume.name();
    }

    VolumeEntry volume() {
        return volume;
    }

    @Override
    public int epoch() {
        return epoch;
    }

    /** Names it in streams; the same in every store that received it. */
    public long guid() {
        return guid;
    }

    /** When it was taken, in milliseconds since 1970. */
    public long createdMillis() {
        return createdMillis;
    }
}
