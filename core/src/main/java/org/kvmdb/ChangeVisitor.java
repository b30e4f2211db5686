package org.kvmdb;

/** Is shown where two versions of a volume differ. */
@FunctionalInterface
public interface ChangeVisitor {

    /**
     * A range of whole pages, as long as can be, behind those before it.
     *
     * @param isHole whether the newer version has holes there, which read as zeros
     */
    void changed(long offset, long lengthBytes, boolean isHole);
}
