package org.kvmdb;

import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.Agent;
import org.kvmdb.cache.BackgroundAgent;
import org.kvmdb.gc.Cleaner;
import org.kvmdb.gc.SegmentReclaimer;
import org.kvmdb.journal.Journal;

/**
 * The maintenance agent of a store: builds the dictionary, frees deleted versions, takes checkpoints that are due,
 * gives space back, seals an idle log, checks that the file is in place, cleans, and prepares the next segment.
 */
final class Maintenance implements Agent, AutoCloseable {

    private static final long PERIOD_NANOS = 50_000_000;

    /** Pause between two pieces of a segment that is written ahead, so that commits go first. */
    private static final long PREPARE_PAUSE_MILLIS = 1;

    private final Journal journal;
    private final SegmentReclaimer reclaimer;
    private final Cleaner cleaner;
    private final CleaningRest rest = new CleaningRest(PERIOD_NANOS);
    private final BackgroundAgent running;

    Maintenance(Journal journal, SegmentReclaimer reclaimer, Cleaner cleaner) {
        this.journal = journal;
        this.reclaimer = reclaimer;
        this.cleaner = cleaner;
        this.running = new BackgroundAgent(this, rest, Maintenance::report);
        journal.pacer().onShortage(rest::wake);
    }

    /** A failed journal reports its failure to the next commit. Here it must neither end the agent nor keep it busy. */
    private static void report(Throwable failure) {
        LockSupport.parkNanos(PERIOD_NANOS); // first: there may be no memory to tell of it
        System.getLogger(Maintenance.class.getName()).log(System.Logger.Level.DEBUG, "maintenance failed", failure);
    }

    @Override
    public int doWork() throws InterruptedException {
        journal.idleWork().makeDictionary();
        final boolean isMore = reclaimer.step();
        journal.idleWork().sealIfIdle();
        journal.idleWork().checkInPlace();
        final boolean cleans = rest.clean(cleaner::step);
        final boolean prepares = journal.idleWork().prepareNextSegment();
        if (prepares && !cleans) {
            Thread.sleep(PREPARE_PAUSE_MILLIS);
        }
        return prepares || cleans || isMore ? 1 : 0;
    }

    @Override
    public String roleName() {
        return "kvmdb-maintenance";
    }

    @Override
    public void close() {
        running.close();
    }
}
