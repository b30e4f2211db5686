package org.kvmdb.journal;

/** Receives the pages in which two versions differ, in order of their LPN. */
@FunctionalInterface
public interface DiffVisitor {

    /** @param ppn the page's block in the newer version; 0: it is a hole there */
    void changed(long lpn, long ppn);
}
