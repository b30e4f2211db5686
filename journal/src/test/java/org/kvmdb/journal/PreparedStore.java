package org.kvmdb.journal;

import org.kvmdb.journal.simulation.HistoryDevice;
import org.kvmdb.journal.simulation.KeptDevice;

/** A store in memory as a workload left it, for many runs that begin there: each takes back what the one before wrote. */
final class PreparedStore implements AutoCloseable {

    private final MemoryDevice medium = new MemoryDevice("prepared");
    private final HistoryDevice history = new HistoryDevice(medium);
    private final JournalOptions options;
    private final Workload work;
    private final boolean hasStore;
    private final int mark;
    private final long sizeBytes;

    PreparedStore(FaultScript script, JournalOptions options, long seed) {
        this.options = options;
        hasStore = script.hasStore();
        work = new Workload(new KeptDevice(history), options, seed);
        script.prepare(work);
        mark = history.mark();
        sizeBytes = medium.sizeBytes();
    }

    boolean hasStore() {
        return hasStore;
    }

    HistoryDevice history() {
        return history;
    }

    void reset() {
        history.undoTo(mark);
        medium.truncate(sizeBytes);
    }

    /** Goes on from there. */
    Workload workload(KeptDevice device, long seed) {
        return hasStore ? new Workload(device, work, seed) : new Workload(device, options, seed);
    }

    @Override
    public void close() {
        work.close();
        medium.close();
    }
}
