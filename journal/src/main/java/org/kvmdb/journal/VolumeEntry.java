package org.kvmdb.journal;

/** A volume of the catalog. Its fields are changed by the journal, under the append lock; reads are from any thread. */
public final class VolumeEntry {

    private final int id;
    private final String name;
    private final int pageShift;
    private final long familyId;
    private volatile long sizeBytes;
    private volatile long lsn;
    private volatile int mapRoot;
    private volatile boolean deleted;

    VolumeEntry(int id, String name, long sizeBytes, int pageShift, long familyId, long lsn) {
        this.id = id;
        this.name = name;
        this.sizeBytes = sizeBytes;
        this.pageShift = pageShift;
        this.familyId = familyId;
        this.lsn = lsn;
    }

    /** Never used again after the volume is deleted. */
    public int id() {
        return id;
    }

    public String name() {
        return name;
    }

    public long sizeBytes() {
        return sizeBytes;
    }

    public int pageShift() {
        return pageShift;
    }

    /** What its blocks are sealed with; clones will share it. */
    public long familyId() {
        return familyId;
    }

    /** The LSN that the last commit carried, also after recovery; 0 when none did. */
    public long lsn() {
        return lsn;
    }

    /** Index of the root node of its map. */
    public int mapRoot() {
        return mapRoot;
    }

    public boolean isDeleted() {
        return deleted;
    }

    /** One past the largest LPN. */
    public long pageCount() {
        return pageCount(sizeBytes, pageShift);
    }

    static long pageCount(long sizeBytes, int pageShift) {
        return (sizeBytes >>> pageShift) + ((sizeBytes & (1L << pageShift) - 1) == 0 ? 0 : 1);
    }

    void sizeBytes(long value) {
        sizeBytes = value;
    }

    void lsn(long value) {
        lsn = value;
    }

    void mapRoot(int node) {
        mapRoot = node;
    }

    void markDeleted() {
        deleted = true;
    }
}
