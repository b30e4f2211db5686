package org.kvmdb.journal;

/** A volume in the catalog: its head, which is written. */
public final class VolumeEntry extends Version {

    private volatile String name;
    private volatile long quotaBytes;

    VolumeEntry(int id, String name, long sizeBytes, int pageShift, long familyId, long lsn) {
        super(id, sizeBytes, pageShift, familyId, lsn);
        this.name = name;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    int epoch() {
        return Integer.MAX_VALUE;
    }

    /** Whether users are not shown it: one that something is being received into. */
    public boolean isHidden() {
        return name.startsWith(".");
    }

    /** What its referenced bytes may come to; 0: no limit but the store's. */
    public long quotaBytes() {
        return quotaBytes;
    }

    void name(String value) {
        name = value;
    }

    void quotaBytes(long value) {
        quotaBytes = value;
    }
}
