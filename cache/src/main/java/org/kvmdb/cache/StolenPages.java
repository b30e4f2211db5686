package org.kvmdb.cache;

import org.kvmdb.ffi.LpnList;
import org.kvmdb.ffi.NativeRegion;
import org.kvmdb.ffi.SpaceAccount;
import org.kvmdb.journal.Append;
import org.kvmdb.journal.Journal;

/**
 * Pages whose blocks are in the log before the commit that will refer to them. Appends them, and keeps the space
 * reserved for them until that commit. Under the write-back lock.
 */
final class StolenPages {

    /** Kept reserved for each until its commit: the record that refers to it. */
    private static final long REFERENCE_BYTES = 64;

    private final Journal journal;
    private final SpaceAccount space;
    /** Read without the lock: who asks for statistics must not wait for a device. */
    private volatile long count;

    StolenPages(Journal journal) {
        this.journal = journal;
        this.space = journal.space();
    }

    /** Puts blocks into the log; their list then holds their PPNs. */
    void append(PageWriter.Writing pages) {
        try (PageWriter.Writing writing = pages;
                Append append = journal.beginAppend()) {
            writing.append(append);
            append.stolen();
        }
    }

    /** Keeps what stolen pages need until their commit; what was reserved for pages is more than that. */
    void keepFor(Region region, long pageCount, NativeRegion.Freeze reserved) {
        final long held = pageCount * REFERENCE_BYTES;
        region.holdStolenReservation(held + reserved.pathReservedBytes());
        space.release(reserved.pageReservedBytes() - held);
        count += pageCount;
    }

    /** Nobody refers to these blocks any more. */
    void drop(LpnList pages) {
        for (long i = 0; i < pages.size(); i++) {
            final long ppn = pages.ppn(i);
            if (ppn != 0) {
                journal.dropStolen(ppn);
            }
        }
    }

    /** Drops all that a region had, which it has given up. */
    void dropAll(Region region, LpnList pages) {
        drop(pages);
        space.release(region.takeStolenReservation());
    }

    /** All that were stolen since the store was opened. */
    long count() {
        return count;
    }
}
