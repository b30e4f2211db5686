package org.kvmdb;

/** No good copy of a page could be read. Names the volume, the LPN and the PPN. */
public final class CorruptPageException extends StoreException {

    private static final long serialVersionUID = 1L;

    private final String volume;
    private final long lpn;
    private final long ppn;

    CorruptPageException(String message, String volume, long lpn, long ppn, Throwable cause) {
        super(message, cause);
        this.volume = volume;
        this.lpn = lpn;
        this.ppn = ppn;
    }

    /** Name of the volume or full name of the snapshot. */
    public String volume() {
        return volume;
    }

    /** Logical page number within the volume; -1 when unknown. */
    public long lpn() {
        return lpn;
    }

    /** PPN, the packed locator of the block; 0 when unknown. */
    public long ppn() {
        return ppn;
    }
}
